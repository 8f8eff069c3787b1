import fc from 'fast-check';
import { expect, it } from 'vitest';
import { detectFormat } from '../../../../src/snapshot/log/formats/detect.ts';
import { exampleFile } from '../../../support/file.ts';
import { frameworkLogs, logFixture } from './support.ts';

const logs: typeof frameworkLogs = [...frameworkLogs, ['events.out.tfevents.encodings', 'tensorboard']];

it.each(logs)('%s is %s', (name, format) => {
  expect(detectFormat(name, logFixture(name))).toBe(format);
});

const pretty = JSON.stringify(exampleFile(), undefined, 2);
const line = JSON.stringify(exampleFile());

it.each([
  ['current.json', pretty, 'json'],
  ['current.json', line, 'json'],
  ['current.json', `${line}\n`, 'json'],
  ['current.json', '', 'json'],
  ['current.json', '{"training_metrics": {"training_loss": NaN', 'json'],
  ['metrics', 'Epoch 1', 'json'],
  ['log.json', `${line}\n${line}\n`, 'jsonl'],
  ['log.jsonl', line, 'jsonl'],
  ['log.jsonl', '', 'jsonl'],
  ['log.jsonl', '\0\u0001\n', 'jsonl'],
  ['log.csv', '', 'csv'],
  ['log.csv', 'epoch,loss\n1,2\n', 'csv'],
  ['log.csv', 'step,loss\n1,2\n', 'csv'],
  ['metrics.csv', 'step,loss\n1,2\n', 'csv'],
  ['events.out.tfevents.1.host', '', 'tensorboard'],
])('%s with %j is %s', (name, text, format) => {
  expect(detectFormat(name, Buffer.from(text))).toBe(format);
});

it('never throws, and takes no other bytes for a log than by the name', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(detectFormat('current.json', bytes)).toBe('json');
    }),
  );
});
