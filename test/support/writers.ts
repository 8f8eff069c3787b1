import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { WriterLanguage } from '../../src/commands/writer/languages.ts';
import { parseMetricsFile } from '../../src/snapshot/interpret.ts';
import { temporaryFolder } from './file.ts';
import { commandLine } from './terminal.ts';

const execute = promisify(execFile);

/** A program around a writer. It writes the snapshot `expected` twice to the file that is its first argument. */
export interface WriterProgram {
  readonly language: WriterLanguage;
  /** The name to save the writer under. */
  readonly file: string;
  /** Source of the program, by file name. */
  readonly program: Readonly<Record<string, string>>;
  /** Commands to run in the folder. The last one is the program. */
  readonly commands: readonly (readonly string[])[];
}

const expected = {
  skipped: [],
  converted: [],
  job: { jobId: 'a "quoted" job' },
  values: { epoch: 3, learning_rate: 0.000_001 },
  nonFinite: new Map([
    ['training_loss', Number.NaN],
    ['validation_loss', Number.NEGATIVE_INFINITY],
  ]),
};

async function build({ language, file, program, commands }: WriterProgram) {
  const folder = temporaryFolder();
  const { text } = await commandLine(['writer', '--language', language]);
  for (const [name, source] of Object.entries({ ...program, [file]: text })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), source);
  }
  for (const [command = '', ...args] of commands.slice(0, -1)) await execute(command, args, { cwd: folder });
  const [command = '', ...args] = commands.at(-1) ?? [];
  return {
    folder,
    run: (path: string) => execute(command, [...args, path], { cwd: folder }),
  };
}

/** The tests of a writer, by a real program in its language. */
export function testWriter(program: WriterProgram): void {
  it(`${program.language}: replaces the file, with NaN, for every user to read`, async () => {
    const { folder, run } = await build(program);
    const path = join(folder, 'new', 'current.json');
    const { stderr } = await run(path);
    expect(stderr).toBe('');
    expect(parseMetricsFile(readFileSync(path))).toMatchObject({ status: 'ok', snapshot: expected });
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });

  it(`${program.language}: reports a folder that cannot be made once, and goes on`, async () => {
    const { run } = await build(program);
    // A file in the place of a folder fails for root, too.
    const { stderr } = await run(`${process.execPath}/metrics/current.json`);
    expect(stderr.match(/Metrics were not written: \S/g)).toHaveLength(1);
  });
}
