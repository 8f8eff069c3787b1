import type { Snapshot } from './snapshot.ts';

const maxNames = 10;

/**
 * Why nothing can be exported from a file: it is JSON, but has neither a number in `training_metrics` nor another field
 * that the bridge knows. Undefined for any other file. A timestamp alone says nothing about a run.
 */
export function noMetricsReason(
  document: Readonly<Record<string, unknown>>,
  snapshot: Snapshot,
): string | undefined {
  if (hasNumber(snapshot) || hasKnownField(snapshot)) return undefined;
  const { training_metrics: metrics, ...others } = document;
  const found = [
    ...Object.keys(others),
    ...Object.keys(metrics ?? {}).map((field) => `training_metrics.${field}`),
  ];
  return `no number in training_metrics and no other field that is known; ${listed(found)}; write {"training_metrics": {"training_loss": 1.5}}`;
}

/** A number whose name cannot be a metric is one, too: the log names it. */
function hasNumber({ values, extras, nonFinite, skipped }: Snapshot): boolean {
  return (
    Object.keys(values).length + extras.size + nonFinite.size > 0 ||
    skipped.some(({ reason }) => reason === 'invalid_name' || reason === 'name_taken')
  );
}

function hasKnownField({ job, status, error, events, skipped }: Snapshot): boolean {
  return (
    status !== undefined ||
    error !== undefined ||
    events.length > 0 ||
    Object.values(job).some((value) => value !== undefined) ||
    skipped.some(({ known, field }) => known && field !== 'timestamp')
  );
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'the object is empty';
  const shown = names.slice(0, maxNames).map((name) => name.slice(0, 64));
  return `found: ${shown.join(', ')}${names.length > maxNames ? ` and ${names.length - maxNames} more` : ''}`;
}
