import { status as grpcStatus } from '@grpc/grpc-js';
import type { Problem } from '../../common/setting.ts';
import type { Config } from '../../config/bridge.ts';
import type { ExportOutcome } from '../../otlp/classify-response.ts';
import { type Diagnosis, diagnoseTls } from '../../otlp/tls-diagnosis.ts';

type SystemError = Pick<NodeJS.ErrnoException, 'code' | 'message'>;

const late = (error: SystemError) => error.code === 'ETIMEDOUT';

export function adviseOnDns(host: string, error: SystemError): Diagnosis {
  if (error.code === 'ENOTFOUND')
    return {
      detail: `${host} is no name that can be found`,
      advice:
        'Mend the host in OTEL_EXPORTER_OTLP_ENDPOINT. In Kubernetes a service of another namespace is service.namespace; in Compose the name is that of the service, inside the same network.',
    };
  return {
    detail: late(error) ? `the name servers do not answer for ${host}: ${error.message}` : error.message,
    advice:
      'The name servers cannot be asked from here: look at /etc/resolv.conf and at what keeps port 53 closed.',
  };
}

export function adviseOnTcp(target: string, error: SystemError): Diagnosis {
  switch (error.code) {
    case 'ECONNREFUSED':
      return {
        detail: `nothing listens at ${target}`,
        advice:
          'Start the Collector, or mend the port: OTLP over gRPC is 4317. The receiver listens on localhost alone unless its endpoint is 0.0.0.0:4317; inside a container localhost is the container.',
      };
    case 'ENOENT':
      return {
        detail: `there is no socket at ${target}`,
        advice: 'Mount the folder of the socket, or mend its path.',
      };
    case 'EACCES':
      return {
        detail: `${target} may not be opened`,
        advice: 'Give the user of the bridge write access to the socket.',
      };
    case 'ETIMEDOUT':
      return {
        detail: `${target} does not answer`,
        advice:
          'Something drops the packets: look at NetworkPolicies, firewalls and security groups between here and there.',
      };
    default:
      return {
        detail: error.message,
        advice: 'The host cannot be reached from here: look at routes and firewalls.',
      };
  }
}

export function adviseOnFiles(problems: readonly Problem[]): Diagnosis {
  return {
    detail: problems.map(({ message }) => message).join('; '),
    advice: 'Mount the files where their variables say, in PEM form and readable for the user of the bridge.',
  };
}

const closed: Diagnosis = {
  detail: 'it closes the connection',
  advice: 'The port may speak plaintext (http://), or something in between may refuse TLS.',
};

export function adviseOnTls({ endpoint }: Config, error: SystemError): Diagnosis {
  const known = diagnoseTls(error.message);
  if (known !== undefined) return known;
  if (error.code === 'CLOSED' || error.code === 'ECONNRESET') return closed;
  return {
    detail: error.message.trim().split('\n')[0] ?? '',
    advice: late(error)
      ? 'The port takes connections and says nothing: it may speak plaintext (http://), or hang.'
      : `Look at what ${endpoint.target} is, and at the files of OTEL_EXPORTER_OTLP_CERTIFICATE, _CLIENT_KEY and _CLIENT_CERTIFICATE.`,
  };
}

export function adviseOnOtlp(
  { endpoint, timeoutMs, headers }: Config,
  { reason, code }: Exclude<ExportOutcome, { status: 'success' }>,
): Diagnosis {
  const message = ownWords(reason);
  if (message === 'Protocol error')
    return {
      detail: 'what it answers is not gRPC',
      advice: `OTLP over gRPC is port 4317; ${endpoint.target} may be OTLP over HTTP, which is 4318, or another service.`,
    };
  switch (code) {
    case grpcStatus.UNIMPLEMENTED:
      return {
        detail: 'gRPC answers, but takes no OTLP metrics',
        advice:
          "Give the Collector a metrics pipeline with the otlp receiver, or mend the port: this one is another service's.",
      };
    case grpcStatus.UNAUTHENTICATED:
    case grpcStatus.PERMISSION_DENIED:
      return {
        detail: message,
        advice: `Put what the Collector asks for into OTEL_EXPORTER_OTLP_HEADERS (${Object.keys(headers).length === 0 ? 'none are set' : `set are ${Object.keys(headers).join(', ')}`}).`,
      };
    case grpcStatus.DEADLINE_EXCEEDED:
      return {
        detail: `no answer in ${timeoutMs / 1000} s`,
        advice:
          'The port accepts connections and does not speak gRPC, or the Collector hangs: look at its log and at the port, which is 4317 for OTLP over gRPC.',
      };
    case grpcStatus.RESOURCE_EXHAUSTED:
      return {
        detail: message,
        advice: 'The Collector is short of memory (memory_limiter) or limits the rate: give it more.',
      };
    case grpcStatus.UNAVAILABLE:
      return {
        detail: message,
        advice:
          "It refuses for now, or something in between does: look at the Collector's log, and at proxies.",
      };
    default:
      return { detail: message, advice: "Look at the Collector's log for why it refuses." };
  }
}

/** Without the code in front, which is said by name, and what gRPC wraps around the error of a connection. */
function ownWords(message: string): string {
  const [, inner] = /Last error: (.*?) \(\d{4}-[^)]*\)(?:\.|$)/s.exec(message) ?? [];
  return inner ?? message.replace(/^\d+ /, '');
}
