import { status as grpcStatus } from '@grpc/grpc-js';
import type { Problem } from '../../common/setting.ts';
import type { Config } from '../../config/bridge.ts';
import type { ExportOutcome } from '../../otlp/classify-response.ts';
import { type Diagnosis, diagnoseTls } from '../../otlp/tls-diagnosis.ts';

type SystemError = Pick<NodeJS.ErrnoException, 'code' | 'message'>;

const isTimeout = (error: SystemError) => error.code === 'ETIMEDOUT';

export function adviseOnTcp(target: string, error: SystemError): Diagnosis {
  switch (error.code) {
    case 'ECONNREFUSED':
      return {
        detail: `nothing listens at ${target}`,
        advice:
          'Start the Collector, or correct the port: OTLP over gRPC is 4317. The receiver listens only on localhost unless its endpoint is 0.0.0.0:4317. In a container, localhost is the container itself.',
      };
    case 'ENOENT':
      return {
        detail: `there is no socket at ${target}`,
        advice: 'Mount the folder of the socket, or correct its path.',
      };
    case 'EACCES':
      return {
        detail: `permission denied opening ${target}`,
        advice: 'Give the user of the bridge write access to the socket.',
      };
    case 'ETIMEDOUT':
      return {
        detail: `${target} does not respond`,
        advice:
          'The packets are probably dropped on the way: check NetworkPolicies, firewalls and security groups.',
      };
    default:
      return {
        detail: error.message,
        advice: 'The host cannot be reached: check routes and firewalls.',
      };
  }
}

export function adviseOnFiles(problems: readonly Problem[]): Diagnosis {
  return {
    detail: problems.map(({ message }) => message).join('; '),
    advice:
      'Mount PEM files at the paths in these variables, and make them readable for the user of the bridge.',
  };
}

const closed: Diagnosis = {
  detail: 'the other side closes the connection',
  advice: 'The port may use plaintext (http://), or a proxy in between may reject TLS.',
};

export function adviseOnTls({ endpoint }: Config, error: SystemError): Diagnosis {
  const known = diagnoseTls(error.message);
  if (known !== undefined) return known;
  if (error.code === 'CLOSED' || error.code === 'ECONNRESET') return closed;
  return {
    detail: error.message.trim().split('\n')[0] ?? '',
    advice: isTimeout(error)
      ? 'The port accepts connections but does not respond: it may use plaintext (http://), or the server may hang.'
      : `Check which server ${endpoint.target} is, and the files of OTEL_EXPORTER_OTLP_CERTIFICATE, _CLIENT_KEY and _CLIENT_CERTIFICATE.`,
  };
}

export function adviseOnOtlp(
  { endpoint, timeoutMs, headers }: Config,
  { reason, code }: Exclude<ExportOutcome, { status: 'success' }>,
): Diagnosis {
  const message = innerMessage(reason);
  if (message === 'Protocol error')
    return {
      detail: 'the response is not gRPC',
      advice: `OTLP over gRPC is port 4317; ${endpoint.target} may be OTLP over HTTP, which is 4318, or another service.`,
    };
  switch (code) {
    case grpcStatus.UNIMPLEMENTED:
      return {
        detail: 'the server uses gRPC, but does not accept OTLP metrics',
        advice:
          'Add a metrics pipeline with the otlp receiver to the Collector, or correct the port if it belongs to another service.',
      };
    case grpcStatus.UNAUTHENTICATED:
    case grpcStatus.PERMISSION_DENIED:
      return {
        detail: message,
        advice: `Put the credentials that the Collector requires into OTEL_EXPORTER_OTLP_HEADERS (${Object.keys(headers).length === 0 ? 'none are set' : `set are ${Object.keys(headers).join(', ')}`}).`,
      };
    case grpcStatus.DEADLINE_EXCEEDED:
      return {
        detail: `no answer in ${timeoutMs / 1000} s`,
        advice:
          'The port accepts connections, but is not gRPC, or the Collector hangs. Check its log, and the port: OTLP over gRPC is 4317.',
      };
    case grpcStatus.RESOURCE_EXHAUSTED:
      return {
        detail: message,
        advice:
          'The Collector has reached a limit of its memory (memory_limiter) or of its rate: increase the limit.',
      };
    case grpcStatus.UNAVAILABLE:
      return {
        detail: message,
        advice:
          "The Collector, or a proxy in between, is unavailable at the moment: check the Collector's log, and proxies.",
      };
    default:
      return { detail: message, advice: "Check the Collector's log for the reason." };
  }
}

/** The message without the status code that precedes it, and without the text that gRPC adds to a connection error. */
function innerMessage(message: string): string {
  const [, inner] = /Last error: (.*?) \(\d{4}-[^)]*\)(?:\.|$)/s.exec(message) ?? [];
  return inner ?? message.replace(/^\d+ /, '');
}
