import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { findLogs, maxLogs } from '../../src/snapshot/log/find-logs.ts';
import { startBridge } from '../support/bridge.ts';
import { temporaryFolder } from '../support/file.ts';
import { commandLine } from '../support/terminal.ts';
import { until } from '../support/until.ts';

// Ten thousand files take a while on a machine that is busy with other work.
const minutes = 60_000;

const logPath = (folder: string, index: number) =>
  join(folder, `run-${Math.floor(index / 100)}`, `${index}.jsonl`);

/** A folder with one log more than are looked at. A few of them, written last, have a record. */
function folderOfLogs(): string {
  const folder = temporaryFolder();
  const write = (index: number, content: string) => {
    const path = logPath(folder, index);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  };
  for (let index = 0; index <= maxLogs; index++) write(index, '');
  for (let index = 0; index <= maxLogs; index += 1_000)
    write(index, '{"step":1,"loss":2,"timestamp":1760000000}\n');
  return folder;
}

it.each([
  ['a folder', ''],
  ['a pattern', '*/*.jsonl'],
])(
  'logs above the limit of %s are reported, but not the limit itself',
  async (_what, pattern) => {
    const folder = folderOfLogs();
    let reports = 0;
    const search = () => findLogs(join(folder, pattern), () => void reports++);
    await search();
    expect(reports).toBe(1);
    rmSync(logPath(folder, 0));
    await search();
    expect(reports).toBe(1);
  },
  60_000,
);

it(
  'the bridge warns once',
  async () => {
    const folder = folderOfLogs();
    const bridge = await startBridge({ file: folder });
    const warnings = () => bridge.log.filter(({ message }) => message.startsWith('There are more logs'));
    await until(() => warnings().length > 0, 'the warning', 2 * minutes);
    await bridge.polled(10);
    expect(warnings()).toEqual([expect.objectContaining({ level: 'warn', path: folder, limit: maxLogs })]);
  },
  3 * minutes,
);

it(
  'check has a note',
  async () => {
    const folder = folderOfLogs();
    const { text } = await commandLine(['check', folder]);
    expect(text.replaceAll(/\s+/g, ' ')).toContain(`There are more than 10,000 logs at ${folder}`);
  },
  3 * minutes,
);

it(
  'replay sends the others and fails',
  async () => {
    const folder = folderOfLogs();
    const { code, text, errors } = await commandLine(['replay', folder, '--dry-run']);
    expect(code).toBe(1);
    expect(text).toContain(' runs, ');
    expect(errors).toContain(`there are more than 10,000 logs at ${folder}`);
  },
  5 * minutes,
);
