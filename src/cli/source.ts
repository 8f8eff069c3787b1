import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import type { Arguments } from './arguments.ts';

export type Source =
  | { readonly status: 'ok'; readonly text: string }
  | { readonly status: 'unreadable'; readonly reason: string };

/** The file a command is given, by -f or as its argument; `-` without either. */
export function namedSource(
  command: string,
  { options, positionals: [positional] }: Arguments,
): { readonly file: string; readonly problems: readonly string[] } {
  const option = typeof options.filename === 'string' ? options.filename : undefined;
  const file = option ?? positional ?? '-';
  const isTwice = option !== undefined && positional !== undefined;
  return {
    file,
    problems: isTwice ? [`${command} takes one FILE, but was given ${option} and ${positional}.`] : [],
  };
}

/** Standard input, whole. */
export const standardInput = (): Promise<string> => readAll(process.stdin);

/** What a file holds; `-` is standard input. */
export async function readSource(file: string, readInput = standardInput): Promise<Source> {
  try {
    return { status: 'ok', text: file === '-' ? await readInput() : await readFile(file, 'utf8') };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { status: 'unreadable', reason: reasons[code ?? ''] ?? message };
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not read it',
};
