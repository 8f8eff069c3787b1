import type { ChannelCredentials, Metadata } from '@grpc/grpc-js';
import type { ExportResult } from '@opentelemetry/core';

/** What the exporter of a signal is created with. */
export interface OfficialExporterOptions {
  /** `host:port`, or a Unix socket. */
  readonly url: string;
  readonly credentials: ChannelCredentials;
  readonly metadata: Metadata;
  readonly compression: 'gzip' | 'none';
  readonly timeoutMillis: number;
  readonly userAgent: string;
}

/** An exporter of the OpenTelemetry SDK. */
export interface OfficialExporter<T> {
  export(data: T, done: (result: ExportResult) => void): void;
  shutdown(): Promise<void>;
}

/** What differs between metrics and spans on their way out. */
export interface Signal<T> {
  readonly name: 'metrics' | 'traces';
  createExporter(options: OfficialExporterOptions): OfficialExporter<T>;
  /** Whether two can go out in one request. */
  canMerge(one: T, other: T): boolean;
  /** One request of several, oldest first; an empty one of none. */
  merge(all: readonly T[]): T;
}
