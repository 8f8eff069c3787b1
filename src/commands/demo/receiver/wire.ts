/** The messages of `description.ts` as plain objects: 64-bit integers as numbers, absent scalars as their defaults. */

export interface WireRequest {
  readonly resourceMetrics: readonly WireResourceMetrics[];
}
export interface WireResourceMetrics {
  readonly resource: { readonly attributes: readonly WireKeyValue[] } | null;
  readonly scopeMetrics: readonly {
    readonly scope: { readonly name: string; readonly version: string } | null;
    readonly metrics: readonly WireMetric[];
  }[];
}
export interface WireKeyValue {
  readonly key: string;
  readonly value: WireAnyValue | null;
}
/** At most one member is set. With none, the value is the OTLP null. */
export interface WireAnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: number;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values: readonly WireAnyValue[] };
  readonly kvlistValue?: { readonly values: readonly WireKeyValue[] };
  readonly bytesValue?: string;
}

/** At most one of the four kinds is set. */
export interface WireMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly gauge?: { readonly dataPoints: readonly WireNumberPoint[] };
  readonly sum?: Temporal<WireNumberPoint> & { readonly isMonotonic: boolean };
  readonly histogram?: Temporal<WireHistogramPoint>;
  readonly exponentialHistogram?: Temporal<WireExponentialPoint>;
}
interface Temporal<P> {
  readonly dataPoints: readonly P[];
  readonly aggregationTemporality: number;
}

export interface WirePoint {
  readonly startTimeUnixNano: number;
  readonly timeUnixNano: number;
  readonly attributes: readonly WireKeyValue[];
}
export interface WireNumberPoint extends WirePoint {
  readonly asDouble?: number;
  readonly asInt?: number;
}
export interface WireHistogramPoint extends WirePoint {
  readonly count: number;
  readonly sum?: number;
  readonly bucketCounts: readonly number[];
  readonly explicitBounds: readonly number[];
}
export interface WireBuckets {
  readonly offset: number;
  readonly bucketCounts: readonly number[];
}
export interface WireExponentialPoint extends WirePoint {
  readonly count: number;
  readonly sum?: number;
  readonly scale: number;
  readonly zeroCount: number;
  readonly positive: WireBuckets | null;
  readonly negative: WireBuckets | null;
}
