import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Program } from './bundle.ts';

export interface PeerOptions {
  readonly file: string;
  /** `host:port` of the receiver. */
  readonly target: string;
  /** Between two reads of the file. */
  readonly intervalSeconds: number;
  /** Between two exports. */
  readonly exportSeconds: number;
  /** Where `installPython` installed. */
  readonly folder: string;
}

/** Telegraf, where it is on the PATH. */
export function telegraf({ file, target, intervalSeconds, exportSeconds }: PeerOptions): Program | undefined {
  const command = onPath('telegraf');
  if (command === undefined) return undefined;
  return {
    command,
    args: ['--non-strict-env-handling', '--config', peerFile('telegraf.conf')],
    environment: {
      METRICS_FILE_PATH: file,
      TARGET: target,
      INTERVAL: `${intervalSeconds * 1_000}ms`,
      FLUSH_INTERVAL: `${exportSeconds * 1_000}ms`,
    },
  };
}

/** A program with the OpenTelemetry SDK for Python, where `installPython` found Python. */
export function python({
  file,
  target,
  intervalSeconds,
  exportSeconds,
  folder,
}: PeerOptions): Program | undefined {
  const command = pythonIn(folder);
  if (!isExecutable(command)) return undefined;
  return {
    command,
    args: [peerFile('bridge.py')],
    environment: {
      METRICS_FILE_PATH: file,
      TARGET: target,
      INTERVAL_SECONDS: String(intervalSeconds),
      EXPORT_INTERVAL_SECONDS: String(exportSeconds),
    },
  };
}

/** Installs what the Python peer needs into the folder, from PyPI, where there is Python. */
export function installPython(folder: string): void {
  const interpreter = onPath('python3');
  if (interpreter === undefined) return;
  execFileSync(interpreter, ['-m', 'venv', join(folder, 'venv')]);
  execFileSync(pythonIn(folder), [...pip, '--requirement', peerFile('requirements.txt')], {
    stdio: 'inherit',
  });
}

const pythonIn = (folder: string) => join(folder, 'venv', 'bin', 'python');
const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];

const peerFile = (name: string) => fileURLToPath(new URL(`../peers/${name}`, import.meta.url));

function onPath(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
