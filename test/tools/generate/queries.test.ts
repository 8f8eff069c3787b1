import { expect, it } from 'vitest';
import { bridgeMetrics, runMetrics, trainingMetrics } from '../../../src/catalogue/metrics.ts';
import { prometheusName, prometheusSeriesNames } from '../../../src/catalogue/prometheus-name.ts';
import { allQueries } from '../../../tools/generate/queries.ts';

const catalogue = [...trainingMetrics, ...Object.values(runMetrics), ...Object.values(bridgeMetrics)];
/** A native histogram is one series under the plain name. */
const exported = new Set(
  catalogue.flatMap((metric) => [prometheusName(metric), ...prometheusSeriesNames(metric)]),
);

const withoutStrings = (expr: string) => expr.replaceAll(/"[^"]*"/g, '""');

it.each(allQueries().map(({ where, expr }) => [where, expr]))(
  '%s asks only for what is exported',
  (_, expr) => {
    const names = withoutStrings(expr).match(/\b(ml|kube)_\w+/g) ?? [];
    for (const name of names.filter((it) => it.startsWith('ml_'))) expect(exported).toContain(name);
    expect(names.length + (expr.includes('__name__=~"ml_training_.+"') ? 1 : 0)).toBeGreaterThan(0);
  },
);

it.each(allQueries().map(({ where, expr }) => [where, expr]))('%s is whole', (_, expr) => {
  const plain = withoutStrings(expr);
  expect(plain).not.toContain('$');
  for (const [open, close] of ['()', '[]', '{}'])
    expect(plain.split(open as string).length).toBe(plain.split(close as string).length);
});

it.each(catalogue.map((metric) => [metric.name, metric.instrument, prometheusName(metric)]))(
  'some query looks at %s',
  (_, instrument, name) => {
    const wanted = instrument === 'histogram' ? [`${name}_bucket`, `${name}_sum`, name] : [name];
    const asked = allQueries().flatMap(({ expr }) => withoutStrings(expr).match(/\bml_\w+/g) ?? []);
    expect(asked).toEqual(expect.arrayContaining(wanted));
  },
);
