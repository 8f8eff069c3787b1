import type { ParseResult } from '../common/setting.ts';
import { keyValuePairs } from '../common/setting-kinds.ts';

/** Headers of each request; names in lower case, as HTTP/2 has them. */
export type Headers = Readonly<Record<string, string>>;

/** What gRPC accepts: names of these characters, and values of printable ASCII. Names that end in `-bin` are for binary values. */
const pairs = keyValuePairs(
  /^(?!.*-bin$)[\w.-]+$/i,
  'a header name, each value printable ASCII',
  /^[\x20-\x7e]*$/,
);

/** `key=value,key=value`, as OTEL_EXPORTER_OTLP_HEADERS is specified. */
export function parseHeaders(written: string): ParseResult<Headers> {
  const parsed = pairs(written);
  if (parsed.status === 'invalid') return parsed;
  const lowerCased = Object.entries(parsed.value).map(([key, value]) => [key.toLowerCase(), value]);
  return { status: 'ok', value: Object.freeze(Object.fromEntries(lowerCased)) };
}

/** Parses a file of headers, in which each pair may also be on a line of its own. */
export const parseHeadersFile = (content: string): ParseResult<Headers> =>
  parseHeaders(content.replaceAll(/\r?\n/g, ','));
