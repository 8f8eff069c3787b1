import { optionValue } from '../../cli/arguments.ts';
import type { Arguments } from '../../cli/command.ts';

export interface WatchRequest {
  /** As given; none for METRICS_FILE_PATH. */
  readonly files: readonly string[];
  /** Of the page. */
  readonly port: number;
  /** Options that exclude each other, as sentences. */
  readonly problems: readonly string[];
}

const defaultPort = 13_135;

/** The files and the port. A file whose name is a number is written as `./8080` after --serve. */
export function watchRequestOf({ options, positionals }: Arguments): WatchRequest {
  const given = optionValue({ options }, 'port');
  const [first = '', ...rest] = positionals;
  const isPort = options.serve === true && given === undefined && isPortNumber(first);
  return {
    files: isPort ? rest : positionals,
    port: Number(given ?? (isPort ? first : defaultPort)),
    problems: [
      ...(options.once && options.serve ? ['--once and --serve exclude each other.'] : []),
      ...(given !== undefined && !options.serve ? ['--port needs --serve.'] : []),
    ],
  };
}

const isPortNumber = (text: string) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
