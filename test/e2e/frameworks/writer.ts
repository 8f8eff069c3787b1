import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inject, onTestFinished } from 'vitest';
import type { LogRecord } from '../../../src/snapshot/log/formats/decoder.ts';

export interface Writer {
  /** Settles when it has ended well; rejects with what it said on its standard error if not. */
  readonly ended: Promise<void>;
  isRunning(): boolean;
  /** What it says it has written so far. */
  written(): readonly Pick<LogRecord, 'fields' | 'time'>[];
}

/** Starts a script of this folder that writes a log. It does not outlive the test. */
export function startWriter(script: string, ...args: readonly string[]): Writer {
  const path = fileURLToPath(new URL(script, import.meta.url));
  // Nothing is inherited: the runner waits for whoever holds its own standard error.
  const child = spawn(inject('frameworksPython'), [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000);
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`${script} failed: ${said}`))));
  });
  ended.catch(() => undefined);
  return {
    ended,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    written: () =>
      output
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line)),
  };
}
