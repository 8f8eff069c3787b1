import { expect, it } from 'vitest';
import { compileErrors, type Edit } from '../support/compile.ts';

const entry = 'src/bridge/bridge.ts';
const metrics = 'src/catalogue/metrics.ts';
const outcomes = 'src/catalogue/outcomes.ts';

/** Adds a row at the beginning of a table, which is a list where the row has no name. */
const addRow = (path: string, table: string, row: string): Edit => {
  const opening = `export const ${table} = ${row.startsWith('{') ? '[' : '{'}`;
  return { path, text: opening, by: `${opening} ${row},` };
};

const counter = "instrument: 'counter', unit: '{item}', description: 'Dummy'";

it('compiles as it is', async () => {
  expect(await compileErrors(entry, [])).toEqual([]);
});

it('compiles with one more gauge, which needs no more than its row', async () => {
  const row =
    "{ field: 'dummy_gauge', name: 'ml.training.dummy_gauge', instrument: 'gauge', unit: '', description: 'Dummy' }";
  expect(await compileErrors(entry, [addRow(metrics, 'trainingMetrics', row)])).toEqual([]);
});

it('does not compile a counter, a run metric or a bridge metric that no function reads', async () => {
  const edits = [
    addRow(
      metrics,
      'trainingMetrics',
      `{ field: 'dummy_counter', name: 'ml.training.dummy_counter', ${counter} }`,
    ),
    addRow(metrics, 'runMetrics', `dummyOfRun: { name: 'ml.training.dummy_of_run', ${counter} }`),
    addRow(metrics, 'bridgeMetrics', `dummyOfBridge: { name: 'ml.bridge.dummy', ${counter} }`),
  ];
  const errors = await compileErrors(entry, edits);
  const missing = errors.map((error) => error.replace(/\(.*(Property '\w+' is missing).*/, ': $1'));
  expect(missing.toSorted()).toEqual([
    "src/telemetry/internal-metrics.ts: Property 'dummyOfBridge' is missing",
    "src/telemetry/run-values.ts: Property 'dummyOfRun' is missing",
    "src/telemetry/run-values.ts: Property 'dummy_counter' is missing",
  ]);
});

it('does not compile a failed poll or a drop reason without a log line', async () => {
  const edits = [
    addRow(outcomes, 'pollOutcomes', "dummy_outcome: { description: 'Dummy' }"),
    addRow(outcomes, 'dropReasons', "dummy_reason: { description: 'Dummy', counted: 'always' }"),
  ];
  const errors = await compileErrors(entry, edits);
  const places = new Set(errors.map((error) => error.split('(')[0]));
  expect([...places].toSorted()).toEqual(['src/bridge/log-events.ts', 'src/telemetry/export-pipeline.ts']);
});
