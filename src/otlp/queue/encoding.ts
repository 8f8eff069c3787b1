import { deserialize, serialize } from 'node:v8';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { ExportRequest } from '../export-request.ts';
import { metricsRequest } from '../metrics-signal.ts';

/** How requests are written into files. */
export interface Encoding<R> {
  encode(request: R): Uint8Array;
  /** Undefined where the bytes are no request, such as those of an older version's file. */
  decode(bytes: Uint8Array): R | undefined;
}

/** The attributes of the resource stand beside each snapshot: it may be sent by another bridge. */
export const metricsEncoding: Encoding<ExportRequest<ResourceMetrics>> = {
  encode: ({ data: { resource, scopeMetrics } }) =>
    serialize({ resource: resource.attributes, scopeMetrics }),
  decode(bytes) {
    try {
      const { resource, scopeMetrics } = deserialize(bytes);
      if (!Array.isArray(scopeMetrics)) return undefined;
      return metricsRequest('snapshot', { resource: resourceFromAttributes(resource), scopeMetrics });
    } catch {
      return undefined;
    }
  },
};
