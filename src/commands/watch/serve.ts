import { createHash } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Followed, follow } from './follow.ts';
import { pageCurve, pageState } from './messages.ts';
import { unreadState, type WatchState } from './state.ts';

export type Serving = { readonly status: 'stopped' } | { readonly status: 'failed'; readonly reason: string };

export interface ServeOptions {
  readonly followed: readonly Followed[];
  /** 0 for any that is free. */
  readonly port: number;
  readonly signal: AbortSignal;
  /** Called once the page can be opened. */
  readonly onListening: (address: string) => void;
}

/** Two changes within this time are sent together. */
const sendAfterMs = 100;

/**
 * Shows the files on a web page until the signal aborts. It listens on the loopback address, answers only requests for
 * it by name, and the page loads nothing from elsewhere.
 */
export async function serveWatch({ followed, port, signal, onListening }: ServeOptions): Promise<Serving> {
  const page = readPage();
  if (page === undefined) return { status: 'failed', reason: 'the page is not built: run npm run build' };
  const states = followed.map(({ path }) => unreadState(path));
  const clients = new Set<ServerResponse>();
  const server = createServer((request, response) => answer(request, response, { page, states, clients }));
  const listening = await listen(server, port);
  if (listening.status === 'failed') return listening;
  onListening(`http://localhost:${listening.port}/`);
  const send = createSender(() => {
    // A browser that does not read, for example of a laptop that sleeps, is sent the state once it reads again.
    for (const client of clients) if (!client.writableNeedDrain) sendState(client, states);
  });
  const onState = (index: number) => (state: WatchState) => {
    const before = states[index];
    states[index] = state;
    if (before === undefined || isChanged(before, state)) send();
  };
  await Promise.all(
    followed.map((it, index) => follow({ ...it, signal, onState: onState(index) }, 'until_stopped')),
  );
  server.close();
  server.closeAllConnections();
  return { status: 'stopped' };
}

const isChanged = (before: WatchState, after: WatchState) =>
  before.snapshots !== after.snapshots ||
  before.problem !== after.problem ||
  before.events !== after.events ||
  before.run?.state !== after.run?.state;

interface Page {
  readonly html: string;
  readonly policy: string;
}

/** The page is beside the program. It allows no script and no style but its own, and no other server. */
function readPage(): Page | undefined {
  try {
    const program = realpathSync(process.argv[1] ?? '');
    const html = gunzipSync(readFileSync(join(dirname(program), 'watch-page.html.gz'))).toString('utf8');
    const hashes = (tag: string) =>
      [...html.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, 'gs'))].map(
        ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
      );
    const script = `script-src ${hashes('script').join(' ')}`;
    // uPlot places its parts by style attributes.
    const policy = `default-src 'none'; ${script}; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'`;
    return { html, policy };
  } catch {
    return undefined;
  }
}

function listen(
  server: ReturnType<typeof createServer>,
  port: number,
): Promise<{ readonly status: 'ok'; readonly port: number } | Extract<Serving, { status: 'failed' }>> {
  return new Promise((resolve) => {
    server.once('error', ({ message }) => resolve({ status: 'failed', reason: message }));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve({ status: 'ok', port: typeof address === 'object' && address !== null ? address.port : port });
    });
  });
}

interface Content {
  readonly page: Page;
  readonly states: readonly WatchState[];
  readonly clients: Set<ServerResponse>;
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { page, states, clients }: Content,
): void {
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  // A web site that resolves its own name to the loopback address must not read the runs.
  if (!/^(localhost|127\.0\.0\.1)(:\d+)?$/.test(request.headers.host ?? '')) return end(response, 403);
  if (request.method !== 'GET') return end(response, 405);
  // As one text: with a base, a path such as // would be the name of a host.
  const address = `http://localhost${request.url}`;
  if (!URL.canParse(address)) return end(response, 400);
  const { pathname, searchParams } = new URL(address);
  switch (pathname) {
    case '/':
      response.setHeader('Content-Security-Policy', page.policy);
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(page.html);
      return;
    case '/events':
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      // The page connects again this soon after the server was restarted.
      response.write('retry: 500\n\n');
      clients.add(response);
      response.on('close', () => clients.delete(response));
      response.on('drain', () => sendState(response, states));
      return sendState(response, states);
    case '/curve': {
      const state = states[Number(searchParams.get('file'))];
      if (state === undefined) return end(response, 404);
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify(pageCurve(state, searchParams.get('field') ?? '')));
      return;
    }
    default:
      return end(response, 404);
  }
}

function end(response: ServerResponse, code: number): void {
  response.statusCode = code;
  response.end();
}

function sendState(client: ServerResponse, states: readonly WatchState[]): void {
  client.write(`data: ${JSON.stringify(pageState(states))}\n\n`);
}

/** Calls `send` a little after the first of several calls. */
function createSender(send: () => void): () => void {
  let isDue = false;
  const sendDue = () => {
    isDue = false;
    send();
  };
  return () => {
    if (!isDue) setTimeout(sendDue, sendAfterMs).unref();
    isDue = true;
  };
}
