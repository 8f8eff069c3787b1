import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { optionValue } from './arguments.ts';
import type { Arguments } from './command.ts';

export type InputReading =
  | { readonly status: 'ok'; readonly text: string }
  | { readonly status: 'unreadable'; readonly reason: string };

/** The file given by -f or as the argument; `-` if there is neither. */
export function inputFile(args: Arguments): {
  readonly file: string;
  readonly problems: readonly string[];
} {
  const [positional] = args.positionals;
  const option = optionValue(args, 'filename');
  const file = option ?? positional ?? '-';
  const isTwice = option !== undefined && positional !== undefined;
  return {
    file,
    problems: isTwice ? [`expected one FILE, but was given ${option} and ${positional}.`] : [],
  };
}

/** The content of a file; `-` is standard input. */
export async function readInput(file: string, stdin: NodeJS.ReadableStream): Promise<InputReading> {
  try {
    const bytes = file === '-' ? await buffer(stdin) : await readFile(file);
    return { status: 'ok', text: decoder.decode(bytes) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { status: 'unreadable', reason: reasons[code ?? ''] ?? message };
  }
}

/** Keeps a byte order mark, and fails on what is not UTF-8, so that a text can be written back as it was. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'not UTF-8',
};
