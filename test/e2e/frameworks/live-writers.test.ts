import { globSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { formatOfPreset, type PresetName } from '../../../src/catalogue/file-formats.ts';
import { createDecoder } from '../../../src/snapshot/log/formats/create-decoder.ts';
import type { LogRecord } from '../../../src/snapshot/log/formats/decoder.ts';
import { detectFormat } from '../../../src/snapshot/log/formats/detect.ts';
import { temporaryFolder } from '../../support/file.ts';
import { startWriter } from './writer.ts';

/** Decodes a file while it grows. `torn` is the number of reads that ended within a record. */
async function follow(pattern: string, preset: PresetName, isRunning: () => boolean) {
  const decoder = await createDecoder(formatOfPreset(preset));
  const records: LogRecord[] = [];
  let position = 0;
  let torn = 0;
  for (let isLast = false; !isLast; await sleep(3)) {
    isLast = !isRunning();
    const [path] = globSync(pattern);
    if (path === undefined) continue;
    const handle = await open(path);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1 << 20), 0, 1 << 20, position);
    await handle.close();
    position += bytesRead;
    records.push(...decoder.push(buffer.subarray(0, bytesRead)));
    if (decoder.pending > 0) torn++;
  }
  return { records: [...records, ...decoder.finish()], torn, problems: decoder.takeProblems() };
}

it.each<[string, PresetName, string]>([
  ['tensorboardx_writer.py', 'tensorboard', 'events.*'],
  ['event_file_writer.py', 'tensorboard', 'events.*'],
  ['keras_writer.py', 'keras', 'training.csv'],
  ['verl_writer.py', 'verl', 'project/experiment.jsonl'],
])('%s: every record is decoded once, in order, while it is written', async (script, preset, file) => {
  const folder = temporaryFolder();
  const writer = startWriter(script, folder);
  const { records, torn, problems } = await follow(join(folder, file), preset, writer.isRunning);
  await writer.ended;
  expect(problems).toEqual([]);
  const expected = writer.written();
  expect(expected.length).toBeGreaterThanOrEqual(10);
  expect(records).toHaveLength(expected.length);
  for (const [index, { fields, time }] of expected.entries()) {
    expect(records[index]?.fields).toMatchObject(fields);
    if (time !== undefined) expect(Math.round(records[index]?.time ?? 0)).toBe(time);
  }
  if (script === 'tensorboardx_writer.py') expect(torn).toBeGreaterThan(0);
  const [path = ''] = globSync(join(folder, file));
  const handle = await open(path);
  expect(detectFormat(path, await handle.readFile())).toBe(preset);
  await handle.close();
});
