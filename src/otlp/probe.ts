import type { ExportOutcome } from './classify-response.ts';
import type { Exporter } from './exporter.ts';

/** Exports an empty request and shuts the exporter down. Any response, even a rejection, shows that the Collector can be reached. */
export async function probeCollector<T>(exporter: Exporter<T>): Promise<ExportOutcome> {
  try {
    return await exporter.export([]);
  } finally {
    exporter.shutdown();
  }
}
