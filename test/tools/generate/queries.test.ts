import { expect, it } from 'vitest';
import { bridgeMetrics, runMetrics, trainingMetrics } from '../../../src/catalogue/metrics.ts';
import { prometheusName, prometheusSeriesNames } from '../../../src/catalogue/prometheus-name.ts';
import { recordingRules } from '../../../tools/generate/alerts/recording-rules.ts';
import { allQueries } from '../../../tools/generate/queries.ts';

const catalogue = [...trainingMetrics, ...Object.values(runMetrics), ...Object.values(bridgeMetrics)];
/** A native histogram is one series under the plain name. */
const exported = new Set(
  catalogue.flatMap((metric) => [prometheusName(metric), ...prometheusSeriesNames(metric)]),
);

const recorded = Object.values(recordingRules)
  .flat()
  .map(({ record }) => record);

const withoutStrings = (expr: string) => expr.replaceAll(/"[^"]*"/g, '""');

it.each(allQueries().map(({ where, expr }) => [where, expr]))(
  '%s asks only for what is exported',
  (_, expr) => {
    const names = withoutStrings(expr).match(/(?:\w+:)?\b(ml|kube)_\w+(?::\w+)?/g) ?? [];
    for (const name of names.filter((it) => it.startsWith('ml_') && !it.includes(':')))
      expect(exported).toContain(name);
    for (const name of names.filter((it) => it.includes(':'))) expect(recorded).toContain(name);
    expect(names.length + (expr.includes('__name__=~"ml_training_.+"') ? 1 : 0)).toBeGreaterThan(0);
  },
);

it.each(allQueries().map(({ where, expr }) => [where, expr]))('%s is whole', (_, expr) => {
  const plain = withoutStrings(expr);
  expect(plain).not.toContain('$');
  for (const [open, close] of ['()', '[]', '{}'])
    expect(plain.split(open as string).length).toBe(plain.split(close as string).length);
});

/** By its name, or by a pattern of names, as the panel of the job's own fields does. */
function looksAt(expr: string, name: string): boolean {
  const patterns = /__name__=~"(?<included>[^"]+)", __name__!~"(?<excluded>[^"]+)"/.exec(expr)?.groups;
  const matches = (pattern: string | undefined) =>
    pattern !== undefined && new RegExp(`^(?:${pattern})$`).test(name);
  if (matches(patterns?.included) && !matches(patterns?.excluded)) return true;
  return (
    withoutStrings(expr)
      .match(/\bml_\w+/g)
      ?.includes(name) ?? false
  );
}

it.each(catalogue.map((metric) => [metric.name, metric.instrument, prometheusName(metric)]))(
  'some query looks at %s',
  (_, instrument, name) => {
    const wanted = instrument === 'histogram' ? [`${name}_bucket`, `${name}_sum`, name] : [name];
    const queries = allQueries().map(({ expr }) => expr);
    for (const each of wanted)
      expect(
        queries.some((expr) => looksAt(expr, each)),
        each,
      ).toBe(true);
  },
);

it('draws a metric that has no panel with the fields of the job, and only there', () => {
  const asking = allQueries().filter(({ expr }) => looksAt(expr, 'ml_training_new_metric'));
  expect(asking.map(({ where }) => where)).toEqual([expect.stringContaining('Further metrics')]);
  const drawn = allQueries().filter(({ expr }) => looksAt(expr, 'ml_training_loss'));
  expect(drawn.map(({ where }) => where).filter((where) => where.includes('Further metrics'))).toEqual([]);
});
