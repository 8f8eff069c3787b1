import { type ChildProcess, spawn } from 'node:child_process';
import { inject, onTestFinished } from 'vitest';
import type { LogLine } from './bridge.ts';
import { exportMinInterval } from './config.ts';
import { until } from './until.ts';

export interface TestProcess {
  readonly child: ChildProcess;
  readonly log: readonly LogLine[];
  readonly stderr: () => string;
  /** Waits for a log line. */
  said(message: string): Promise<LogLine>;
  /** Waits for the end; `signal` is null where the process ended itself. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

export interface ProcessOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** A module to load before the bundle. */
  readonly preload?: string;
}

/** The bundle in a process of its own, as a user starts it, killed when the test ends. */
export function startProcess({ environment, args = [], preload }: ProcessOptions): TestProcess {
  const before = preload === undefined ? [] : ['--import', preload];
  const child = spawn(process.execPath, [...before, inject('bundle'), ...args], {
    env: { HEALTH_PORT: '0', EXPORT_MIN_INTERVAL: exportMinInterval, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const log: LogLine[] = [];
  let rest = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines)
      log.push(line.startsWith('{"') ? JSON.parse(line) : { level: 'plain', message: line });
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return {
    child,
    log,
    stderr: () => stderr,
    said: (message) =>
      until(
        () => log.find((line) => line.message === message),
        `the log line "${message}", stderr: ${stderr}`,
      ),
    ended,
  };
}
