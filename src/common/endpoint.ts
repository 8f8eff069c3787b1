/**
 * Address and transport of the Collector. The usual forms of a gRPC address are accepted: URLs, `host:port`, and gRPC
 * names (`dns:`, `ipv4:`, `ipv6:`, `unix:`). Each is converted to a gRPC target.
 */
export interface Endpoint {
  /** `host:port`, or the path of a Unix socket as `unix:///path`. */
  readonly target: string;
  readonly transport: 'plaintext' | 'tls';
  /** Notes for the user about a valid address. */
  readonly warnings: readonly string[];
}

export type EndpointReading =
  | { readonly status: 'ok'; readonly endpoint: Endpoint }
  | { readonly status: 'invalid'; readonly reason: string };

export interface TransportHints {
  /** OTEL_EXPORTER_OTLP_INSECURE; used if the address has no scheme. */
  readonly insecure: boolean | undefined;
  /** Whether a certificate or key file is configured. */
  readonly certificates: boolean;
}

const otlpGrpcPort = 4317;
const otlpHttpPort = 4318;

const invalid = (reason: string): EndpointReading => ({ status: 'invalid', reason });

/** Reads an address. Never throws. The reason for an invalid one does not contain credentials. */
export function readEndpoint(address: string, hints: TransportHints): EndpointReading {
  const [, scheme = '', rest = address] =
    /^(https?|dns|ipv4|ipv6|unix|[a-z][a-z0-9+.-]*(?=:\/\/)):(.*)$/i.exec(address) ?? [];
  const defaultTransport = hints.certificates || hints.insecure === false ? 'tls' : 'plaintext';
  switch (scheme.toLowerCase()) {
    case 'http':
      return hostAndPort(rest, 'plaintext', otlpGrpcPort, []);
    case 'https':
      return hostAndPort(rest, 'tls', 443, []);
    case 'dns':
      if (/^\/\/[^/]/.test(rest))
        return invalid(
          'a DNS server in the address (dns://server/name) is not supported; write dns:///name:port',
        );
      return hostAndPort(rest.replace(/^\/{3}/, ''), defaultTransport, otlpGrpcPort, []);
    case 'ipv4':
    case 'ipv6':
      return hostAndPort(rest.replace(/^\/{3}/, ''), defaultTransport, otlpGrpcPort, []);
    case 'unix': {
      const path = rest.replace(/^\/\/(?=\/)/, '');
      if (!path.startsWith('/'))
        return invalid('a Unix socket needs an absolute path: unix:///path/to/socket');
      const target = `unix://${path}`;
      return { status: 'ok', endpoint: { target, transport: defaultTransport, warnings: [] } };
    }
    case '': {
      const warnings =
        defaultTransport === 'plaintext' && hints.insecure === undefined
          ? [`${redact(address)} has no scheme: plaintext is used; write http:// or https:// to choose`]
          : [];
      return hostAndPort(rest, defaultTransport, otlpGrpcPort, warnings);
    }
    default:
      return invalid(
        `scheme ${scheme}: is not supported; use http://, https://, dns:///, unix:/// or host:port`,
      );
  }
}

/** Hides what is before an `@`, which may be credentials. */
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
        ? 'an IPv6 address must be in brackets: http://[::1]:4317'
        : 'it has no valid host and port',
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
