import { lookup } from 'node:dns/promises';
import type { Diagnosis } from './tls-diagnosis.ts';
import { addressOf, withDeadline } from './tls-handshake.ts';

/** Why the name of the Collector's host cannot be resolved, by the error of the lookup, and what to do about it. */
export function diagnoseName(
  host: string,
  error: Pick<NodeJS.ErrnoException, 'code' | 'message'>,
): Diagnosis {
  if (error.code === 'ENOTFOUND')
    return {
      detail: `the host name ${host} does not exist`,
      advice:
        'Correct the host in OTEL_EXPORTER_OTLP_ENDPOINT. In Kubernetes, a Service in another namespace is service.namespace. In Compose, it is the name of a service in the same network.',
    };
  return {
    detail:
      error.code === 'ETIMEDOUT'
        ? `the DNS servers do not respond for ${host}: ${error.message}`
        : error.message,
    advice: 'The DNS servers cannot be reached: check /etc/resolv.conf, and whether port 53 is blocked.',
  };
}

/**
 * Looks up the host of a target, because gRPC reports only that it could not resolve it. Resolves to undefined if the host
 * has an address by now. Never rejects.
 */
export async function explainName(target: string, timeoutMs: number): Promise<Diagnosis | undefined> {
  const { host } = addressOf(target);
  if (host === undefined) return undefined;
  try {
    await withDeadline(timeoutMs, lookup(host));
    return undefined;
  } catch (error) {
    return diagnoseName(host, error as NodeJS.ErrnoException);
  }
}
