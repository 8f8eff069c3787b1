import {
  type Environment,
  type ParseResult,
  type Problem,
  readSettings,
  setting,
} from '../common/setting.ts';
import { textSetting } from '../common/setting-kinds.ts';

/** An http or https address. What is expected does not repeat the address, because it is a secret. */
export function parseHeartbeatUrl(text: string): ParseResult<string> {
  const scheme = URL.canParse(text) ? new URL(text).protocol : '';
  return /^https?:$/.test(scheme)
    ? { status: 'ok', value: text }
    : { status: 'invalid', expected: 'an address that starts with http:// or https://' };
}

export const heartbeatSettings = {
  heartbeatUrl: setting<string | undefined>(
    'HEARTBEAT_URL',
    parseHeartbeatUrl,
    undefined,
    'Address of a heartbeat monitor such as healthchecks.io, which alarms when requests stop: a GET while the step advances, at most once a minute, /start, /fail, and a last GET when the run is completed. It is a secret and never printed. HTTP_PROXY, HTTPS_PROXY and NO_PROXY apply to it',
    { secret: true },
  ),
  heartbeatUrlFile: setting<string | undefined>(
    'HEARTBEAT_URL_FILE',
    textSetting,
    undefined,
    'File with that address, instead of HEARTBEAT_URL. It is read again for each request',
  ),
} as const;

/** Where heartbeats are sent. */
export interface HeartbeatConfig {
  readonly source:
    | { readonly kind: 'url'; readonly url: string }
    | { readonly kind: 'file'; readonly path: string };
  /** The proxy variables by name; their values may hold passwords. */
  readonly proxyEnvironment: Readonly<Record<string, string>>;
}

export type HeartbeatConfigResult =
  | { readonly status: 'ok'; readonly config: HeartbeatConfig | undefined }
  | { readonly status: 'invalid'; readonly problems: readonly Problem[] };

/** Reads the variables of the heartbeat. Undefined if none is set. */
export function readHeartbeatConfig(environment: Environment): HeartbeatConfigResult {
  const { status, problems, values } = readSettings(heartbeatSettings, environment);
  const { heartbeatUrl: url, heartbeatUrlFile: path } = values;
  if (status === 'invalid') return { status, problems };
  if (url !== undefined && path !== undefined)
    return { status: 'invalid', problems: [{ variable: 'HEARTBEAT_URL_FILE', message: bothSet }] };
  const proxyEnvironment = proxiesOf(environment);
  if (url !== undefined) return { status: 'ok', config: { source: { kind: 'url', url }, proxyEnvironment } };
  if (path !== undefined)
    return { status: 'ok', config: { source: { kind: 'file', path }, proxyEnvironment } };
  return { status: 'ok', config: undefined };
}

const bothSet = 'HEARTBEAT_URL and HEARTBEAT_URL_FILE are both set: set one of them';

/** A copy, because `run` removes these variables from its environment so that gRPC does not read them. */
function proxiesOf(environment: Environment): Readonly<Record<string, string>> {
  const set = Object.entries(environment).filter(
    (entry): entry is [string, string] => /^(https?|no)_proxy$/i.test(entry[0]) && Boolean(entry[1]?.trim()),
  );
  return Object.fromEntries(set);
}

/** The settings for printing, without secrets. */
export function printableHeartbeat(config: HeartbeatConfig | undefined): Record<string, unknown> {
  const source = config?.source;
  return {
    heartbeatUrl: source?.kind === 'url' ? '***' : undefined,
    heartbeatUrlFile: source?.kind === 'file' ? source.path : undefined,
  };
}
