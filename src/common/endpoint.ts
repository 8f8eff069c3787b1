/**
 * Where the Collector is and how to speak to it. The forms are those people write for gRPC: URLs, `host:port`, and
 * gRPC names (`dns:`, `ipv4:`, `ipv6:`, `unix:`). Every form is reduced to a target of gRPC's.
 */
export interface Endpoint {
  /** `host:port`, or the path of a Unix socket as `unix:///path`. */
  readonly target: string;
  readonly transport: 'plaintext' | 'tls';
  /** What a person should know although nothing is wrong. */
  readonly warnings: readonly string[];
}

export type EndpointReading =
  | { readonly status: 'ok'; readonly endpoint: Endpoint }
  | { readonly status: 'invalid'; readonly reason: string };

export interface TransportHints {
  /** OTEL_EXPORTER_OTLP_INSECURE; decides where the address has no scheme. */
  readonly insecure: boolean | undefined;
  /** Whether a certificate or key file is configured. */
  readonly certificates: boolean;
}

const otlpGrpcPort = 4317;
const otlpHttpPort = 4318;

const invalid = (reason: string): EndpointReading => ({ status: 'invalid', reason });

/** Reads an address. Never throws; what it refuses it explains without repeating credentials. */
export function readEndpoint(address: string, hints: TransportHints): EndpointReading {
  const [, scheme = '', rest = address] =
    /^(https?|dns|ipv4|ipv6|unix|[a-z][a-z0-9+.-]*(?=:\/\/)):(.*)$/i.exec(address) ?? [];
  const guessed = hints.certificates || hints.insecure === false ? 'tls' : 'plaintext';
  switch (scheme.toLowerCase()) {
    case 'http':
      return hostAndPort(rest, 'plaintext', otlpGrpcPort, []);
    case 'https':
      return hostAndPort(rest, 'tls', 443, []);
    case 'dns':
      if (/^\/\/[^/]/.test(rest))
        return invalid(
          'a DNS server of its own (dns://server/name) is not supported; write dns:///name:port',
        );
      return hostAndPort(rest.replace(/^\/{3}/, ''), guessed, otlpGrpcPort, []);
    case 'ipv4':
    case 'ipv6':
      return hostAndPort(rest.replace(/^\/{3}/, ''), guessed, otlpGrpcPort, []);
    case 'unix': {
      const path = rest.replace(/^\/\/(?=\/)/, '');
      if (!path.startsWith('/'))
        return invalid('a Unix socket needs an absolute path: unix:///path/to/socket');
      const target = `unix://${path}`;
      return { status: 'ok', endpoint: { target, transport: guessed, warnings: [] } };
    }
    case '': {
      const warnings =
        guessed === 'plaintext' && hints.insecure === undefined
          ? [
              `${redact(address)} has no scheme: it is spoken to in plaintext; write http:// or https:// to say so`,
            ]
          : [];
      return hostAndPort(rest, guessed, otlpGrpcPort, warnings);
    }
    default:
      return invalid(`scheme ${scheme}: is not known; use http://, https://, dns:///, unix:/// or host:port`);
  }
}

/** Takes what stands before an `@` out of an address, for printing. */
function redact(address: string): string {
  return address.replace(/[^/@]*@/, '***@');
}

function hostAndPort(
  rest: string,
  transport: Endpoint['transport'],
  defaultPort: number,
  warnings: readonly string[],
): EndpointReading {
  const authority = rest.replace(/^\/\//, '');
  if (authority.includes(',')) return invalid('a list of addresses is not supported; use a DNS name');
  if (/%/.test(authority)) return invalid('a zone of an IPv6 address is not supported; use a DNS name');
  const [, userInfo, host, portText, path] =
    /^([^/@]*@)?(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+)(?::(\d+))?([/?#].*)?$/i.exec(authority) ?? [];
  if (userInfo !== undefined)
    return invalid('credentials in the address are not supported; put them into OTEL_EXPORTER_OTLP_HEADERS');
  if (host === undefined) {
    return invalid(
      /:.*:/.test(authority)
        ? 'an IPv6 address stands in brackets: http://[::1]:4317'
        : 'no host and port can be read from it',
    );
  }
  const port = portText === undefined ? defaultPort : Number(portText);
  if (port < 1 || port > 65_535) return invalid(`port ${portText} is not between 1 and 65535`);
  const notes = [...warnings];
  if (path !== undefined && path !== '/')
    notes.push(`the path ${path.replace(/[?#].*/, '')} is ignored: OTLP over gRPC has none`);
  if (port === otlpHttpPort)
    notes.push(
      `port ${otlpHttpPort} is commonly OTLP over HTTP; this is OTLP over gRPC, commonly port ${otlpGrpcPort}`,
    );
  const target = `${host}:${port}`;
  return { status: 'ok', endpoint: { target, transport, warnings: notes } };
}
