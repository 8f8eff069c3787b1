import type { Problem } from '../common/setting.ts';
import { settlesWithin } from '../common/timing.ts';
import type { Config } from '../config/bridge.ts';
import { type Answer, createUnaryClient, type UnaryClient } from './client.ts';
import {
  type CredentialSources,
  type Credentials,
  channelCredentials,
  readCredentials,
  requestMetadata,
  sameTls,
} from './credentials.ts';
import { Status } from './grpc.ts';
import { type Reply, refusalIn } from './outcome.ts';
import { explainRefusal } from './probe.ts';
import { turned } from './rotation.ts';
import { type Trouble, tlsTrouble } from './tls-trouble.ts';

/** A connection to the Collector, or several in turn. */
export interface Connection {
  /** Sends a serialized request. Rejects where there are no credentials to connect with. */
  export(request: Uint8Array): Promise<Reply>;
  /** Ends what is under way. A later export connects again, in no backoff of an earlier connection's. */
  close(): void;
}

export interface ConnectionOptions extends CredentialSources, Pick<Config, 'compression' | 'timeoutMs'> {
  readonly endpoint: Config['endpoint'];
  /** `/package.Service/Method`. */
  readonly method: string;
  readonly version: string;
  /** Called with what is wrong with the files, each time they are read and that is something; the last good are used. */
  readonly onCredentials?: (problems: readonly Problem[]) => void;
}

export const metricsMethod = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
export const traceMethod = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

const longestProbeMs = 1_000;

/** Files are read again for each request, and a connection is made anew when what it was made with has changed. */
export function createConnection(options: ConnectionOptions): Connection {
  const { endpoint, version, timeoutMs } = options;
  let credentials: Credentials | undefined;
  let client: UnaryClient | undefined;
  let turn = 0;
  const explain = createExplanation(endpoint, Math.min(timeoutMs, longestProbeMs));

  async function refresh(): Promise<Credentials> {
    if (credentials !== undefined && !hasFiles(options)) return credentials;
    const read = readCredentials(options);
    // A volume that hangs must not keep back what can be sent with the credentials at hand.
    const inTime = await settlesWithin(timeoutMs, read);
    const reading = inTime ? await read : undefined;
    if (reading?.status === 'ok') {
      if (credentials !== undefined && !sameTls(credentials, reading.credentials)) disconnect();
      credentials = reading.credentials;
    }
    options.onCredentials?.(reading?.status === 'invalid' ? reading.problems : []);
    if (credentials !== undefined) return credentials;
    throw new Error(
      reading?.status === 'invalid'
        ? reading.problems.map(({ message }) => message).join('; ')
        : 'the files of credentials cannot be read in time',
    );
  }

  function disconnect(): void {
    client?.close();
    client = undefined;
  }

  return {
    async export(request) {
      const current = await refresh();
      client ??= createUnaryClient({
        ...options,
        ...(await turned(endpoint.target, turn)),
        credentials: channelCredentials(current),
        userAgent: `ml-metrics-bridge/${version}`,
      });
      const answer = await client.call(request, requestMetadata(current));
      if (answer.status === 'failed') turn += 1;
      return explain(withoutSecrets(answer, current), current);
    },
    close: disconnect,
  };
}

const hasFiles = ({ headersFile, certificate, clientKey, clientCertificate }: CredentialSources) =>
  [headersFile, certificate, clientKey, clientCertificate].some((file) => file !== undefined);

/** A server may repeat what it refuses; a token is not to come back into the log that way. */
function withoutSecrets(answer: Answer, { headers }: Credentials): Reply {
  if (answer.status === 'ok') {
    const refused = refusalIn(answer.response);
    return {
      status: 'ok',
      ...(refused && { refused: { ...refused, reason: conceal(refused.reason, headers) } }),
    };
  }
  answer.error.message = conceal(answer.error.message, headers);
  return answer;
}

function conceal(text: string, headers: Credentials['headers']): string {
  return Object.values(headers)
    .flatMap((value) => [value, ...value.split(' ')])
    .filter(({ length }) => length >= shortestSecret)
    .reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

/** Anything shorter would take words out of messages. */
const shortestSecret = 8;

/** Adds the cause to a failure where it is known, or can be found out, which is tried once an outage. */
function createExplanation({ target }: Config['endpoint'], timeoutMs: number) {
  let probed: Promise<Trouble | undefined> | undefined;
  return async (reply: Reply, credentials: Credentials): Promise<Reply> => {
    if (reply.status === 'ok' || reply.error.code !== Status.UNAVAILABLE) {
      probed = undefined;
      return reply;
    }
    const known = tlsTrouble(reply.error.message);
    if (known === undefined && /Last error: Failed to connect/.test(reply.error.message))
      probed ??= explainRefusal(target, credentials, timeoutMs);
    const trouble = known ?? (await probed);
    return { ...reply, ...(trouble && { trouble }) };
  };
}
