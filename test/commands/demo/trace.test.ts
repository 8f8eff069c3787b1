import { expect, it } from 'vitest';
import type { ReceivedSpan } from '../../../src/commands/demo/receiver/span.ts';
import { demoTrace } from '../../../src/commands/demo/trace.ts';
import { formatTrace } from '../../../src/commands/demo/trace-text.ts';
import { capture, commandLine } from '../../support/terminal.ts';

const short = {
  TOTAL_EPOCHS: '3',
  BATCHES_PER_EPOCH: '5',
  WRITE_INTERVAL: '0.02',
  COLLECTION_INTERVAL: '0.01',
};

const span = (name: string, spanId: string, parentSpanId: string, seconds: readonly [number, number]) =>
  ({
    name,
    spanId,
    parentSpanId,
    traceId: 'trace',
    startMs: seconds[0] * 1000,
    endMs: seconds[1] * 1000,
    attributes: {},
    events: [],
  }) as unknown as ReceivedSpan;

it('shows the submission, the run and each epoch as one trace', async () => {
  const { output, text } = capture();
  expect(await demoTrace({ output, signal: new AbortController().signal, overrides: short })).toBe(0);
  expect(text()).toMatch(/TRACEPARENT=00-[0-9a-f]{32}-[0-9a-f]{16}-01/);
  for (const epoch of [1, 2, 3])
    expect(text()).toMatch(new RegExp(`received  training.epoch ${epoch} .*loss`));
  const tree = text().slice(text().indexOf('The trace:'));
  expect(tree).toMatch(/\n {2}trainer\.submit_job /);
  expect(tree).toMatch(/\n {2}└─ training\.run /);
  expect(tree).toMatch(/\n {5}├─ training\.epoch 1 /);
  expect(tree).toMatch(/\n {5}└─ training\.epoch 3 /);
});

it('stopped in the middle, it shows what arrived and how to go on', async () => {
  const { output, text } = capture();
  const stop = new AbortController();
  const running = demoTrace({ output, signal: stop.signal, overrides: { ...short, TOTAL_EPOCHS: '1000' } });
  setTimeout(() => stop.abort(), 500);
  expect(await running).toBe(0);
  expect(text()).toContain('OTEL_TRACES_EXPORTER');
});

it('draws each span where it took place within the trace', () => {
  const lines = formatTrace([
    span('epoch b', '3', '2', [2, 4]),
    span('submit', '1', '', [0, 0]),
    span('epoch a', '4', '2', [0, 2]),
    span('run', '2', '1', [0, 4]),
  ]);
  expect(lines).toEqual([
    `  submit                            0.00 s  ▏`,
    `  └─ run                            4.00 s  ${'█'.repeat(32)}`,
    `     ├─ epoch a                     2.00 s  ${'█'.repeat(16)}`,
    `     └─ epoch b                     2.00 s  ${' '.repeat(16)}${'█'.repeat(16)}`,
  ]);
});

it('a span whose parent is not there is a root', () => {
  expect(formatTrace([span('lost', '2', '1', [0, 1])])[0]).toMatch(/^ {2}lost /);
});

it('an unknown option is an error', async () => {
  expect((await commandLine(['demo', '--traces'])).code).toBe(2);
});
