import type { ExportOutcome } from './classify-response.ts';
import { type ExportRequest, withinBytes } from './export-request.ts';
import type { Lease } from './queue/lease.ts';
import { applyOutcome, postponeFirst, type SendState } from './send-state.ts';

export interface LeaseExport<T> {
  readonly canMerge: (one: T, other: T) => boolean;
  readonly exportBatch: (batch: readonly ExportRequest<T>[]) => Promise<ExportOutcome>;
  readonly nowMs: () => number;
  /** How long a request is answered with "later" until the next one may try. */
  readonly patienceMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface LeaseResult {
  readonly state: SendState;
  /** Of the last export; undefined if nothing was exported. */
  readonly outcome: ExportOutcome | undefined;
}

/** Exports the requests of a lease until one has to wait. Acknowledges those that were accepted or dropped. */
export async function exportLease<T>(
  lease: Lease<ExportRequest<T>>,
  state: SendState,
  options: LeaseExport<T>,
): Promise<LeaseResult> {
  const postponed = lease.requests.slice(0, state.postponed);
  const result = await exportInOrder(lease, lease.requests.slice(state.postponed), state, options);
  if (result.outcome?.status === 'retry') return result;
  return exportPostponed(lease, postponed, result, options);
}

async function exportInOrder<T>(
  lease: Lease<ExportRequest<T>>,
  requests: readonly ExportRequest<T>[],
  initial: SendState,
  options: LeaseExport<T>,
): Promise<LeaseResult> {
  const { canMerge, exportBatch, nowMs, patienceMs, signal } = options;
  let state = initial;
  let outcome: ExportOutcome | undefined;
  for (let left = requests; left.length > 0 && !signal?.aborted; ) {
    const batch = firstBatch(left, canMerge, state.limit);
    outcome = await exportBatch(batch);
    const applied = applyOutcome(state, outcome, batch.length, nowMs(), patienceMs);
    state = applied.state;
    if (applied.action === 'wait') break;
    if (applied.action === 'acknowledge') {
      lease.ack(batch);
      left = left.slice(batch.length);
    }
    if (applied.action === 'bypass') {
      const passed = await exportNext(lease, left, exportBatch);
      if (passed?.status !== 'success') return { state, outcome };
      outcome = passed;
      state = postponeFirst(state);
      left = left.slice(2);
    }
  }
  return { state, outcome };
}

/** Exports the second request, alone. */
async function exportNext<T>(
  lease: Lease<ExportRequest<T>>,
  [, next]: readonly ExportRequest<T>[],
  exportBatch: LeaseExport<T>['exportBatch'],
): Promise<ExportOutcome | undefined> {
  if (next === undefined) return undefined;
  const outcome = await exportBatch([next]);
  if (outcome.status !== 'retry') lease.ack([next]);
  return outcome;
}

/** Exports each request alone, so that one does not block the others. */
async function exportPostponed<T>(
  lease: Lease<ExportRequest<T>>,
  requests: readonly ExportRequest<T>[],
  { state: initial, outcome: last }: LeaseResult,
  { exportBatch, signal }: LeaseExport<T>,
): Promise<LeaseResult> {
  let state = initial;
  let outcome = last;
  for (const request of requests) {
    if (signal?.aborted) break;
    outcome = await exportBatch([request]);
    if (outcome.status === 'retry') break;
    lease.ack([request]);
    state = { ...state, postponed: state.postponed - 1 };
  }
  return { state, outcome };
}

/** The requests at the start of a list that can be exported as one. */
function firstBatch<T>(
  requests: readonly ExportRequest<T>[],
  canMerge: (one: T, other: T) => boolean,
  limit: number,
): readonly ExportRequest<T>[] {
  const [first] = requests;
  const end = requests.findIndex(({ data }) => first !== undefined && !canMerge(first.data, data));
  return withinBytes(requests.slice(0, end < 0 ? limit : Math.min(end, limit)));
}
