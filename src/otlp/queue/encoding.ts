import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { ExportRequest } from '../export-request.ts';
import { metricsRequest } from '../metrics-signal.ts';

/** How requests are written into files. */
export interface Encoding<R> {
  encode(request: R): Uint8Array;
  /** Undefined if the bytes are not a request, for example in a file of an older version. */
  decode(bytes: Uint8Array): R | undefined;
}

/** Not imported, because few bridges have a disk queue, and loading the module takes 2 % of a start. */
const v8 = () => process.getBuiltinModule('node:v8');

/** The attributes of the resource are stored with each snapshot, because another bridge may send it. */
export const metricsEncoding: Encoding<ExportRequest<ResourceMetrics>> = {
  encode: ({ data: { resource, scopeMetrics } }) =>
    v8().serialize({ resource: resource.attributes, scopeMetrics }),
  decode(bytes) {
    try {
      const { resource, scopeMetrics } = v8().deserialize(bytes);
      if (!Array.isArray(scopeMetrics)) return undefined;
      return metricsRequest('snapshot', { resource: resourceFromAttributes(resource), scopeMetrics });
    } catch {
      return undefined;
    }
  },
};
