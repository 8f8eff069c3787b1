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

/** How the export of metrics and of spans differs. */
export interface Signal<T> {
  readonly name: 'metrics' | 'traces';
  createExporter(options: OfficialExporterOptions): OfficialExporter<T>;
  /** Whether two can be sent in one request. */
  canMerge(one: T, other: T): boolean;
  /** Merges several into one request, oldest first. The request is empty if there are none. */
  merge(all: readonly T[]): T;
}
