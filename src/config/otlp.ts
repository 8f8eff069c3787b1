import { type Endpoint, readEndpoint } from '../common/endpoint.ts';
import {
  otlpSignalSetting,
  type Problem,
  type SettingsResult,
  type SettingValues,
} from '../common/setting.ts';
import { boolean, milliseconds, oneOf, textSetting } from '../common/setting-kinds.ts';
import type { CredentialSources, NamedFile } from '../otlp/credentials.ts';
import { type Headers, parseHeaders } from '../otlp/headers.ts';

/** The standard variables of OTLP, for one signal. */
export function otlpSettings(signal: 'METRICS' | 'TRACES') {
  const row = otlpSignalSetting(signal);
  return {
    endpoint: row(
      'ENDPOINT',
      textSetting,
      'http://localhost:4317',
      'Address of the Collector: http:// (plaintext) or https://, host:port, dns:///name:port, ipv4:a:4317,b:4317, unix:///. Of several addresses one is used at a time, the next where it fails',
    ),
    insecure: row<boolean | undefined>(
      'INSECURE',
      boolean,
      undefined,
      'For an address without scheme: true is plaintext, false is TLS. Unset, it is TLS where a certificate is given, else plaintext with a warning',
    ),
    protocol: row('PROTOCOL', oneOf(['grpc']), 'grpc', 'Only grpc is spoken'),
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
    headersFile: row<string | undefined>(
      'HEADERS_FILE',
      textSetting,
      undefined,
      'File with further headers, key=value, separated by commas or lines; read again for each request, so that a token can be renewed',
    ),
    compression: row('COMPRESSION', oneOf(['gzip', 'none']), 'gzip', 'gzip or none'),
    timeoutMs: row('TIMEOUT', milliseconds(1), 10_000, 'Milliseconds one export may take'),
    certificate: row<string | undefined>(
      'CERTIFICATE',
      textSetting,
      undefined,
      "PEM file of the authorities the Collector is checked against, in place of Node's. Like the next two it is read again when it changes",
    ),
    clientKey: row<string | undefined>(
      'CLIENT_KEY',
      textSetting,
      undefined,
      "PEM file of the bridge's own key, for mTLS",
    ),
    clientCertificate: row<string | undefined>(
      'CLIENT_CERTIFICATE',
      textSetting,
      undefined,
      "PEM file of the bridge's own certificate, for mTLS",
    ),
  };
}

type OtlpSettings = ReturnType<typeof otlpSettings>;
type OtlpValues = SettingValues<OtlpSettings>;

/** Where a signal goes, and how. */
export interface Destination extends CredentialSources, Pick<OtlpValues, 'compression' | 'timeoutMs'> {
  readonly endpoint: Endpoint;
}

export type DestinationReading =
  | { readonly status: 'ok'; readonly destination: Destination }
  | { readonly status: 'invalid'; readonly problems: readonly Problem[] };

/** What the variables of one signal say together. */
export function readDestination({
  values,
  sources,
}: Pick<SettingsResult<OtlpSettings>, 'values' | 'sources'>): DestinationReading {
  const { endpoint: address, insecure, headers, compression, timeoutMs } = values;
  const problems = [...incompleteMtls(values)];
  const reading = readEndpoint(address, { insecure, certificates: hasCertificates(values) });
  if (reading.status === 'invalid') {
    problems.push({
      variable: sources.endpoint,
      message: `${sources.endpoint} cannot be used: ${reading.reason}`,
    });
  }
  if (reading.status === 'invalid' || problems.length > 0) return { status: 'invalid', problems };
  const named = (
    file: 'headersFile' | 'certificate' | 'clientKey' | 'clientCertificate',
  ): NamedFile | undefined => {
    const path = values[file];
    return path === undefined ? undefined : { variable: sources[file], path };
  };
  const destination = {
    endpoint: reading.endpoint,
    compression,
    timeoutMs,
    headers,
    headersFile: named('headersFile'),
    certificate: named('certificate'),
    clientKey: named('clientKey'),
    clientCertificate: named('clientCertificate'),
  };
  return { status: 'ok', destination };
}

function hasCertificates(values: OtlpValues): boolean {
  return [values.certificate, values.clientKey, values.clientCertificate].some((file) => file !== undefined);
}

function incompleteMtls(values: OtlpValues): readonly Problem[] {
  if ((values.clientKey === undefined) === (values.clientCertificate === undefined)) return [];
  const missing = `OTEL_EXPORTER_OTLP_${values.clientKey === undefined ? 'CLIENT_KEY' : 'CLIENT_CERTIFICATE'}`;
  return [{ variable: missing, message: `${missing} is not set: mTLS needs key and certificate together` }];
}

/** A destination as the first log line shows it: everything but secrets. */
export function printableDestination({ endpoint, headers, ...rest }: Destination) {
  return {
    ...rest,
    endpoint: endpoint.target,
    transport: endpoint.transport,
    // Names only: values are often tokens.
    headers: Object.keys(headers),
  };
}
