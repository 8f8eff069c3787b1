/**
 * The metrics of one snapshot, or one batch of spans. Requests are merged only when they are exported, so that each can
 * be acknowledged, dropped or kept on a disk separately.
 *
 * A `heartbeat` only keeps series alive between snapshots. The next snapshot repeats all of it, so a heartbeat that is
 * still queued is replaced.
 */
export interface ExportRequest<T = unknown> {
  readonly kind: 'snapshot' | 'heartbeat';
  readonly data: T;
  /** An upper bound of the bytes it takes, in memory and serialized. */
  readonly bytes: number;
}

/** A request whose size is estimated on first use: a request that is sent at once needs no estimate. */
export function requestOf<T>(
  kind: ExportRequest['kind'],
  data: T,
  weigh: (data: T) => number,
): ExportRequest<T> {
  let bytes: number | undefined;
  return {
    kind,
    data,
    get bytes() {
      bytes ??= weigh(data);
      return bytes;
    },
  };
}

/** The Collector's OTLP receiver takes 4 MiB a request; this leaves room. */
export const maxRequestBytes = 3 * 1_048_576;

/** The requests at the start of a list that together stay within the limit; at least one, unless the list is empty. */
export function withinBytes<R extends Pick<ExportRequest, 'bytes'>>(
  requests: readonly R[],
  maxBytes: number = maxRequestBytes,
): readonly R[] {
  if (requests.length < 2) return requests;
  let bytes = 0;
  const end = requests.findIndex((request, index) => {
    bytes += request.bytes;
    return bytes > maxBytes && index > 0;
  });
  return end < 0 ? requests : requests.slice(0, end);
}
