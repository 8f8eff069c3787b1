/**
 * The name of the gauge of a column whose own name cannot be a metric: each sequence of other characters becomes one
 * underscore, `metrics/mAP50(B)` → `metrics_map50_b`. A name that does not begin with a letter gets `m_`.
 */
export function respell(column: string): string {
  const name = column
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '');
  return /^[0-9]/.test(name) ? `m_${name}` : name;
}
