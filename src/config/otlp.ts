import { type Endpoint, readEndpoint } from '../common/endpoint.ts';
import {
  type Environment,
  otlpSignalSetting,
  type ParseResult,
  type Problem,
  printableValues,
  readSettings,
  type SettingValues,
} from '../common/setting.ts';
import { boolean, milliseconds, oneOf, textSetting } from '../common/setting-kinds.ts';
import type { NamedFile } from '../otlp/credentials.ts';
import { type Headers, parseHeaders } from '../otlp/headers.ts';

type Signal = Parameters<typeof otlpSignalSetting>[0];

/** A file, with the variable that names it for messages about its content. */
const namedFile = (path: string, variable: string): ParseResult<NamedFile> =>
  isContent(path)
    ? { status: 'invalid', expected: 'the path of a file, not its content', mayBeSecret: true }
    : { status: 'ok', value: { variable, path } };

/** PEM, also in base64 as in a Secret of Kubernetes, or headers. */
const isContent = (text: string) =>
  /-----BEGIN |^LS0tLS1CRUdJTi|\n/.test(text) || (/^[^./]/.test(text) && parseHeaders(text).status === 'ok');

/** The standard variables of OTLP, for one signal. */
export function otlpSettings(signal: Signal) {
  const row = otlpSignalSetting(signal);
  const file = (suffix: string, description: string) =>
    row<NamedFile | undefined>(suffix, namedFile, undefined, description);
  return {
    endpoint: row(
      'ENDPOINT',
      textSetting,
      'http://localhost:4317',
      'Address of the Collector: http:// (plaintext) or https://, host:port, dns:///name:port, unix:///. If a name has several addresses, one is used at a time, and the next one if it refuses connections',
    ),
    insecure: row<boolean | undefined>(
      'INSECURE',
      boolean,
      undefined,
      'For an address without scheme: true is plaintext, false is TLS. Default: TLS if a certificate is configured, otherwise plaintext with a warning',
    ),
    protocol: row('PROTOCOL', oneOf(['grpc']), 'grpc', 'Only grpc is supported'),
    headers: row(
      'HEADERS',
      parseHeaders,
      {} as Headers,
      'Headers of each request, key=value, separated by commas',
      {
        secret: true,
        defaultText: '',
      },
    ),
    headersFile: file(
      'HEADERS_FILE',
      'File with additional headers, key=value, separated by commas or lines. It is read again for each request, so that a token can be renewed',
    ),
    compression: row('COMPRESSION', oneOf(['gzip', 'none']), 'gzip', 'gzip or none'),
    timeoutMs: row('TIMEOUT', milliseconds(1), 10_000, 'Timeout of one export, in milliseconds'),
    certificate: file(
      'CERTIFICATE',
      "PEM file of the certificate authorities that the Collector's certificate is verified against, instead of Node's. This file and the two client files are read again when they change",
    ),
    clientKey: file('CLIENT_KEY', "PEM file of the bridge's private key, for mTLS"),
    clientCertificate: file('CLIENT_CERTIFICATE', "PEM file of the bridge's certificate, for mTLS"),
  };
}

type OtlpValues = SettingValues<ReturnType<typeof otlpSettings>>;

/** Where and how one signal is exported. Durations are in milliseconds. */
export interface Destination extends Omit<OtlpValues, 'endpoint' | 'insecure'> {
  readonly endpoint: Endpoint;
}

export type DestinationResult =
  | { readonly status: 'ok'; readonly destination: Destination; readonly warnings: readonly string[] }
  | { readonly status: 'invalid'; readonly problems: readonly Problem[] };

/** Reads the variables of one signal and checks them together. */
export function readDestination(signal: Signal, environment: Environment): DestinationResult {
  const { values, sources, ...read } = readSettings(otlpSettings(signal), environment);
  const { endpoint: address, insecure, ...rest } = values;
  const problems = [...read.problems, ...incompleteMtls(values)];
  const parsed = readEndpoint(address, { insecure, certificates: hasCertificates(values) });
  if (parsed.status === 'ok' && problems.length === 0) {
    const warnings = [...read.warnings, ...parsed.endpoint.warnings];
    return { status: 'ok', destination: { ...rest, endpoint: parsed.endpoint }, warnings };
  }
  if (parsed.status === 'invalid') {
    const variable = sources.endpoint;
    problems.push({ variable, message: `${variable} cannot be used: ${parsed.reason}` });
  }
  return { status: 'invalid', problems };
}

function hasCertificates(values: OtlpValues): boolean {
  return [values.certificate, values.clientKey, values.clientCertificate].some((file) => file !== undefined);
}

function incompleteMtls(values: OtlpValues): readonly Problem[] {
  if ((values.clientKey === undefined) === (values.clientCertificate === undefined)) return [];
  const missing = `OTEL_EXPORTER_OTLP_${values.clientKey === undefined ? 'CLIENT_KEY' : 'CLIENT_CERTIFICATE'}`;
  return [{ variable: missing, message: `${missing} is not set: mTLS needs both a key and a certificate` }];
}

/** A destination for printing, without secrets. */
export function printableDestination({ endpoint, ...rest }: Destination): Record<string, unknown> {
  return {
    ...printableValues(otlpSettings('METRICS'), rest),
    endpoint: endpoint.target,
    transport: endpoint.transport,
  };
}
