import { execFile } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { temporaryFolder } from '../../support/file.ts';

/** Prints, refuses and ends as its environment says, and keeps what it was given. */
const script = `#!/bin/sh
if [ "$1" = get ]; then
  printf '%s ' "$@" >> "$STAND_IN/read"
  printf '%s' "$RUNTIME"
  [ -n "$RUNTIME" ] || { echo 'Error from server (NotFound)' >&2; exit 1; }
  exit 0
fi
printf '%s ' "$@" > "$STAND_IN/arguments"
[ -n "$REFUSES" ] || cat > "$STAND_IN/manifest"
printf '%s' "$PRINTS"
printf '%s' "$COMPLAINS" >&2
[ -z "$DIES" ] || kill -9 $$
exit "\${EXITS:-0}"
`;

export interface Kubectl {
  /** The folder for PATH. */
  readonly folder: string;
  /** Its arguments, as they were written; undefined where it was not called. */
  arguments(): string | undefined;
  manifest(): string;
  /** The arguments of `kubectl get`. What it prints is in RUNTIME; it fails if that is not set. */
  read(): string | undefined;
}

/** A program in the place of kubectl. */
export function standInKubectl(): Kubectl {
  const folder = temporaryFolder();
  const kept = (name: string) => readFileSync(join(folder, name), 'utf8');
  writeFileSync(join(folder, 'kubectl'), script);
  chmodSync(join(folder, 'kubectl'), 0o755);
  return {
    folder,
    arguments: () => (existsSync(join(folder, 'arguments')) ? kept('arguments').trim() : undefined),
    manifest: () => kept('manifest'),
    read: () => (existsSync(join(folder, 'read')) ? kept('read').trim() : undefined),
  };
}

export interface Submitted {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SubmitOptions {
  readonly args?: readonly string[];
  readonly input?: string;
  readonly kubectl?: Kubectl;
  readonly environment?: Readonly<Record<string, string>>;
}

/** `submit` of the bundle, as a user calls it. */
export function submit({ args = [], input = '', kubectl, environment }: SubmitOptions): Promise<Submitted> {
  const own = kubectl && { PATH: `${kubectl.folder}:/usr/bin:/bin`, STAND_IN: kubectl.folder };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [inject('bundle'), 'submit', ...args],
      { env: { PATH: '/nowhere', ...own, ...environment } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}
