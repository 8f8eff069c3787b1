import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { LogFormat } from '../../../../src/catalogue/file-formats.ts';
import { createDecoder } from '../../../../src/snapshot/log/formats/create-decoder.ts';
import type { DecoderOptions, LogRecord } from '../../../../src/snapshot/log/formats/decoder.ts';

/** A log that a framework has written, or a sample of one. */
export const logFixture = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../../../fixtures/logs/${name}`, import.meta.url)));

/** Decodes parts that are pushed one after another. */
export async function decodeParts(
  format: LogFormat,
  parts: readonly (Uint8Array | string)[],
  options?: DecoderOptions,
) {
  const decoder = await createDecoder(format, options);
  const records: LogRecord[] = parts.flatMap((part) => [...decoder.push(Buffer.from(part))]);
  const { pending } = decoder;
  return { records: [...records, ...decoder.finish()], pending, problems: decoder.takeProblems(), decoder };
}

/** Bytes cut at up to eight places. */
export const splits = (bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<readonly Uint8Array[]> =>
  fc
    .tuple(bytes, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }))
    .map(([whole, places]) => {
      const cuts = [0, ...places.map((place) => Math.floor(place * whole.length)).sort((a, b) => a - b)];
      return cuts.map((cut, index) => whole.subarray(cut, cuts[index + 1]));
    });

/** Bytes with a few of them replaced, taken out or put in. */
export const mutations = (bytes: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc
    .array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255), fc.constantFrom(0, 1, 2)), { maxLength: 4 })
    .map((edits) => {
      const mutated = [...bytes];
      for (const [at, byte, removed] of edits) mutated.splice(at, removed, byte);
      return Uint8Array.from(mutated);
    });

/** Logs of each framework: the name of the example or recording, and the format that it has. */
export const frameworkLogs: readonly (readonly [string, string])[] = [
  ['llama-factory.jsonl', 'llama-factory'],
  ['swift.jsonl', 'swift'],
  ['ultralytics.csv', 'ultralytics'],
  ['keras.csv', 'keras'],
  ['lightning_logs/version_0/metrics.csv', 'lightning'],
  ['detectron2.json', 'detectron2'],
  ['mmengine.json', 'mmengine'],
  ['verl.jsonl', 'verl'],
  ['events.out.tfevents.tensorboardx', 'tensorboard'],
  ['recorded/lightning/lightning_logs/version_0/metrics.csv', 'lightning'],
  ['recorded/lightning/lightning_logs/version_1/metrics.csv', 'lightning'],
  ['recorded/lightning/lightning_logs/version_2/metrics.csv', 'lightning'],
  ['recorded/lightning/same_version/metrics.csv', 'lightning'],
  ['recorded/huggingface/first/events.out.tfevents.1', 'tensorboard'],
  ['recorded/huggingface/resumed/events.out.tfevents.2', 'tensorboard'],
  ['recorded/huggingface/killed/events.out.tfevents.3', 'tensorboard'],
  ['recorded/llama-factory/first/trainer_log.jsonl', 'llama-factory'],
  ['recorded/llama-factory/appended/trainer_log.jsonl', 'llama-factory'],
  ['recorded/mmengine/first/vis_data/scalars.json', 'mmengine'],
  ['recorded/mmengine/resumed/vis_data/scalars.json', 'mmengine'],
  ['recorded/mmengine/killed/vis_data/scalars.json', 'mmengine'],
  ['recorded/ultralytics/train/results.csv', 'ultralytics'],
  ['recorded/ultralytics/train-2/results.csv', 'ultralytics'],
  ['recorded/ultralytics/killed/results.csv', 'ultralytics'],
  ['recorded/ultralytics/resumed/results.csv', 'ultralytics'],
];
