import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { temporaryFolder } from '../../support/file.ts';
import { commandLine } from '../../support/terminal.ts';
import { folderOf, jsonLines, startMs } from './support.ts';

async function written(log: string, ...args: readonly string[]): Promise<readonly string[]> {
  const folder = folderOf({ 'a/train.jsonl': log });
  const result = await commandLine(['replay', folder, '--output', '-', ...args]);
  expect(result, result.errors).toMatchObject({ code: 0 });
  return result.text.split('\n');
}

/** Names of families and series, in the order of the text, each once where it follows itself. */
function groupsOf(lines: readonly string[], nameOf: (line: string) => string | undefined): readonly string[] {
  const names = lines.flatMap((line) => nameOf(line) ?? []);
  return names.filter((name, index) => name !== names[index - 1]);
}

describe('replay --output', () => {
  it('writes each family and each series in one piece, and the end', async () => {
    const lines = await written(jsonLines(50) + jsonLines(50));
    const families = groupsOf(lines, (line) => /^# TYPE (\S+)/.exec(line)?.[1]);
    expect(families).toContain('ml_training_loss');
    const series = groupsOf(lines, (line) => /^ml_[^}]*}/.exec(line)?.[0]);
    expect(new Set(series).size).toBe(series.length);
    expect(lines.slice(-2)).toEqual(['# EOF', '']);
  });

  it('writes gauges and counters with their times, in milliseconds', async () => {
    const time = startMs / 1000;
    const lines = await written(
      `{"timestamp": ${time}.123, "step": 1, "loss": NaN}\n{"timestamp": ${time + 1}, "step": 2, "loss": 1e-9}\n`,
      '--job-id',
      'a "b"\\c',
    );
    const labels = '{job_id="a \\"b\\"\\\\c",job="ml-metrics-bridge",instance="[-0-9a-f]*"}'.replaceAll(
      '\\',
      '\\\\',
    );
    const text = lines.join('\n');
    expect(text).toMatch(
      new RegExp(`# TYPE ml_training_loss gauge\n.*\nml_training_loss${labels} NaN ${time}\\.123`),
    );
    expect(text).toMatch(new RegExp(`\nml_training_loss${labels} 1e-9 ${time + 1}\\.000\n`));
    expect(text).toMatch(
      new RegExp(`# TYPE ml_training_batch_number counter\n.*\nml_training_batch_number_total${labels} 1 `),
    );
    expect(text).toContain('# UNIT ml_training_last_step_time_seconds seconds\n');
  });

  it('writes times that Prometheus reads as the same millisecond', async () => {
    // In these months a double of seconds, multiplied by 1,000, may be a little less than the millisecond.
    const firstMs = Date.parse('2038-06-01T00:00:00Z');
    const millisecond = (index: number) => firstMs + index * 7_001;
    const log = Array.from(
      { length: 2_000 },
      (_, index) => `{"timestamp": ${millisecond(index) / 1000}, "loss": 1}\n`,
    );
    const lines = (await written(log.join(''))).filter((line) => line.startsWith('ml_training_loss{'));
    const read = lines.map((line) => Math.trunc(Number(line.split(' ').at(-1)) * 1000));
    expect(read).toEqual(Array.from({ length: 2_000 }, (_, index) => millisecond(index)));
  });

  it('writes a histogram with buckets that add up', async () => {
    const lines = await written('{"timestamp": 1800000000, "processing_time_ms": 3}\n');
    const samples = lines
      .filter((line) => line.startsWith('ml_training_processing_time_milliseconds'))
      .map((line) => line.replace(/job_id.*instance="[^"]*"/, ''));
    expect(samples).toContain('ml_training_processing_time_milliseconds_bucket{,le="2.0"} 0 1800000000.000');
    expect(samples).toContain('ml_training_processing_time_milliseconds_bucket{,le="5.0"} 1 1800000000.000');
    expect(samples.slice(-3)).toEqual([
      'ml_training_processing_time_milliseconds_bucket{,le="+Inf"} 1 1800000000.000',
      'ml_training_processing_time_milliseconds_count{} 1 1800000000.000',
      'ml_training_processing_time_milliseconds_sum{} 3 1800000000.000',
    ]);
  });

  it('replaces a file when all is written, and prints the summary', async () => {
    const output = join(temporaryFolder(), 'out.om');
    writeFileSync(output, 'old');
    const { code, text } = await commandLine([
      'replay',
      folderOf({ 'a/t.jsonl': jsonLines(3) }),
      '-o',
      output,
    ]);
    expect(code).toBe(0);
    expect(text).toContain('3 records of 1 run');
    expect(text).toContain(`${output} is written.`);
    expect(readFileSync(output, 'utf8')).toMatch(/^# TYPE [\s\S]*\n# EOF\n$/);
    expect(existsSync(`${output}.partial`)).toBe(false);
  });

  it('leaves the file as it was if it is stopped or cannot be written, and no temporary files', async () => {
    const folder = folderOf({ 'a/t.jsonl': jsonLines(3) });
    const spools = temporaryFolder();
    vi.stubEnv('TMPDIR', spools);
    onTestFinished(() => void vi.unstubAllEnvs());
    const output = join(folder, 'out.om');
    writeFileSync(output, 'old');
    const controller = new AbortController();
    const stdout = new Writable({ write: () => controller.abort() });
    const stopped = await commandLine(['replay', folder, '-o', '-'], { signal: controller.signal, stdout });
    expect(stopped.code).toBe(1);
    expect(stopped.errors).toContain('The output was not written.');
    const failed = await commandLine(['replay', folder, '-o', join(output, 'below')]);
    expect(failed.code).toBe(1);
    expect(failed.errors).toContain('cannot be written');
    expect(readFileSync(output, 'utf8')).toBe('old');
    expect(readdirSync(spools)).toEqual([]);
  });

  it.each(['--endpoint=http://localhost:4317', '--from=2'])('excludes %s', async (option) => {
    const { code, errors } = await commandLine(['replay', 'x', '--output', 'y', option]);
    expect(code).toBe(2);
    expect(errors).toContain('exclude each other');
  });
});
