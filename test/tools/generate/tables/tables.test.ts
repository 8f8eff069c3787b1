import { expect, it } from 'vitest';
import {
  bridgeMetrics,
  fullDescription,
  runMetrics,
  trainingMetrics,
} from '../../../../src/catalogue/metrics.ts';
import { setting } from '../../../../src/common/setting.ts';
import { textSetting } from '../../../../src/common/setting-kinds.ts';
import { bridgeSettings } from '../../../../src/config/bridge.ts';
import { environmentTable } from '../../../../tools/generate/tables/environment.ts';
import { metricsTable } from '../../../../tools/generate/tables/metrics.ts';

/** The cells of every table row; a pipe that is escaped is part of its cell. */
function rowsOf(markdown: string): string[][] {
  const lines = markdown.split('\n').filter((line) => /^\| (?!---)/.test(line));
  return lines.map((line) => line.slice(2, -2).split(/ (?<!\\)\| /));
}

it('has one row for every metric of the catalogue, all rows of a table equally wide', () => {
  const rows = rowsOf(metricsTable());
  const all = [...trainingMetrics, ...Object.values(runMetrics), ...Object.values(bridgeMetrics)];
  for (const metric of all) {
    const { name } = metric;
    const ofName = rows.filter((cells) => cells.includes(`\`${name}\``));
    expect(ofName, name).toHaveLength(1);
    expect(ofName[0]).toContain(fullDescription(metric));
    expect(ofName[0]).toHaveLength(6);
  }
});

it('shows each metric as its users will find it', () => {
  const rows = rowsOf(metricsTable()).map((cells) => cells.slice(0, 5));
  const [loss, time] = [
    ['`training_loss`', '`ml.training.loss`', 'gauge', '–', '`ml_training_loss`'],
    [
      '`processing_time_ms`',
      '`ml.training.processing_time`',
      'histogram',
      '`ms`',
      '`ml_training_processing_time_milliseconds_{bucket,sum,count}`',
    ],
  ];
  expect(rows).toContainEqual(loss);
  expect(rows).toContainEqual(time);
});

it('names a variable, what it falls back on, its default and its meaning', () => {
  const table = environmentTable({
    a: setting('A', textSetting, 'one|two', 'First | second'),
    b: setting<string | undefined>('B_METRICS', textSetting, undefined, 'B', { fallbacks: ['B', 'C'] }),
  });
  expect(table.split('\n').slice(2)).toEqual([
    '| `A` | `one\\|two` | First \\| second |',
    '| `B_METRICS`, else `B`, else `C` | – | B |',
  ]);
});

it('has one row for every variable of the bridge', () => {
  const rows = rowsOf(environmentTable(bridgeSettings)).slice(1);
  expect(rows).toHaveLength(Object.keys(bridgeSettings).length);
  for (const cells of rows) expect(cells).toHaveLength(3);
});
