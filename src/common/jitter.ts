/** Uniform numbers from 0 up to, not including, 1. */
export type Random = () => number;

/**
 * Bridges that start, lose the Collector or see an event at the same moment spread their next requests over this time, in
 * milliseconds: a third of the export interval. The Collector then never serves all of them at once, and a value still
 * arrives within one export interval.
 */
export const spreadOf = (exportIntervalMs: number): number => exportIntervalMs / 3;
