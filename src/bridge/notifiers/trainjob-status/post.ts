import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { TrainJobStatusConfig } from '../../../config/trainjob-status.ts';

/** Reasons never contain the token. */
export type PostResult =
  | { readonly status: 'ok' }
  /** It may work later: no answer, or one that says so. */
  | { readonly status: 'failed'; readonly reason: string; readonly retryAfterMs?: number }
  | { readonly status: 'unreadable'; readonly file: 'token' | 'ca'; readonly reason: string }
  /** The same request would be answered the same way. */
  | { readonly status: 'rejected'; readonly httpStatus: number; readonly detail: string | undefined };

/** Posts a body of JSON. Rejects never; resolves soon after the signal of abort fires, unless a volume hangs. */
export type Post = (body: string, abort: AbortSignal) => Promise<PostResult>;

/**
 * Posts with node:https, because fetch needs WebAssembly, which the image turns off. Redirects are not followed: the
 * token is only for the controller. Token and certificate authority are renewed in place, so they are read each time.
 */
export function createPost({ url, tokenFile, caFile }: TrainJobStatusConfig, userAgent: string): Post {
  return async (body, abort) => {
    const token = await readSecret('token', tokenFile, abort);
    if (token.status !== 'ok') return token;
    const ca = caFile === undefined ? undefined : await readSecret('ca', caFile, abort);
    if (ca !== undefined && ca.status !== 'ok') return ca;
    const headers = {
      authorization: `Bearer ${token.text}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': userAgent,
    };
    // An agent of its own ends the connection: the next post is half a minute away and may need another authority.
    const options = { method: 'POST', headers, ca: ca?.text, agent: false, signal: abort };
    try {
      return await new Promise((resolve, reject) => {
        const sent = request(url, { ...options, rejectUnauthorized: true }, (response) =>
          resultOf(response).then(resolve, reject),
        );
        sent.on('error', reject);
        sent.end(body);
      });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return { status: 'failed', reason: abort.aborted ? noAnswer : (code ?? 'unknown error') };
    }
  };
}

export const noAnswer = 'no answer in time';

type SecretReading =
  | { readonly status: 'ok'; readonly text: string }
  | Extract<PostResult, { readonly status: 'unreadable' }>;

async function readSecret(file: 'token' | 'ca', path: string, signal: AbortSignal): Promise<SecretReading> {
  try {
    return { status: 'ok', text: (await readFile(path, { encoding: 'utf8', signal })).trim() };
  } catch (error) {
    const reason = signal.aborted ? noAnswer : ((error as NodeJS.ErrnoException).code ?? 'unknown error');
    return { status: 'unreadable', file, reason };
  }
}

async function resultOf(response: IncomingMessage): Promise<PostResult> {
  const { statusCode: httpStatus = 0, headers } = response;
  // Only this answer says more than its status, which is which part of the content is wrong.
  const detail = httpStatus === 422 ? await detailOf(response) : undefined;
  response.destroy();
  if (httpStatus >= 200 && httpStatus < 300) return { status: 'ok' };
  const isTemporary = httpStatus >= 500 || httpStatus === 408 || httpStatus === 429;
  if (!isTemporary) return { status: 'rejected', httpStatus, detail };
  const seconds = Number(headers['retry-after'] ?? 0);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : 0;
  return { status: 'failed', reason: `HTTP status ${httpStatus}`, retryAfterMs };
}

const maxDetail = 4_096;

/** The message of a Kubernetes Status; undefined if the answer is none. */
async function detailOf(response: IncomingMessage): Promise<string | undefined> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    if (text.length > maxDetail) return undefined;
  }
  try {
    const { message } = JSON.parse(text);
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}
