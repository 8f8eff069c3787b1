import type { ExportOutcome } from './classify-response.ts';
import type { Exporter } from './exporter.ts';

/** An export of nothing, which every Collector answers. One that rejects it can be reached. Never rejects. */
export async function probeCollector<T>(exporter: Exporter<T>): Promise<ExportOutcome> {
  try {
    return await exporter.export([]);
  } finally {
    exporter.shutdown();
  }
}
