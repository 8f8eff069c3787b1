import { optionValue } from '../../cli/arguments.ts';
import type { Arguments } from '../../cli/command.ts';
import type { Environment, ParseResult } from '../../common/setting.ts';
import { type Config, readConfig } from '../../config/bridge.ts';
import { replayValues } from './options.ts';

/** What a command line of `replay` asks for. Times are Unix milliseconds. */
export interface ReplayRequest {
  /** File, folder or pattern. */
  readonly path: string;
  /** `traces` is undefined if no spans are sent. */
  readonly config: Config;
  readonly warnings: readonly string[];
  /** The file that is written instead of sending; `-` is standard output. */
  readonly output: string | undefined;
  readonly jobId: string | undefined;
  readonly startMs: number | undefined;
  readonly intervalMs: number | undefined;
  /** Number of the first record that is sent, counted from 1. */
  readonly from: number;
  readonly dryRun: boolean;
}

export type RequestReading =
  | { readonly status: 'ok'; readonly request: ReplayRequest }
  | { readonly status: 'invalid'; readonly problems: readonly string[] };

/** Reads the arguments, of which each has been checked by its row in the table of commands. */
export function readRequest(args: Arguments, environment: Environment): RequestReading {
  const [path] = args.positionals;
  if (args.problems.length > 0 || path === undefined) return { status: 'invalid', problems: args.problems };
  const endpoint = optionValue(args, 'endpoint');
  const output = optionValue(args, 'output');
  const trace = args.options.trace === true;
  const onlyWithoutOutput = trace ? ['from'] : ['endpoint', 'from'];
  const conflicts = onlyWithoutOutput.filter((name) => output !== undefined && name in args.options);
  if (conflicts.length > 0)
    return {
      status: 'invalid',
      problems: conflicts.map((name) => `--output and --${name} exclude each other.`),
    };
  const reading = readConfig({
    ...environment,
    METRICS_FILE_PATH: path,
    // The command line says whether spans are sent.
    OTEL_SDK_DISABLED: undefined,
    OTEL_TRACES_EXPORTER: trace ? 'otlp' : 'none',
    ...(endpoint !== undefined && {
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint,
    }),
  });
  if (reading.status === 'invalid')
    return { status: 'invalid', problems: reading.problems.map(({ message }) => message) };
  const { config, warnings } = reading;
  const request: ReplayRequest = {
    path,
    // The text format has no native histograms.
    config: output === undefined ? config : { ...config, histogramAggregation: 'explicit_bucket_histogram' },
    warnings: output === undefined || trace ? warnings : [],
    output,
    jobId: optionValue(args, 'job-id') ?? config.jobId,
    startMs: numberOf(args, 'start', replayValues.start),
    intervalMs: numberOf(args, 'interval', replayValues.interval),
    from: numberOf(args, 'from', replayValues.from) ?? 1,
    dryRun: args.options['dry-run'] === true,
  };
  return { status: 'ok', request };
}

function numberOf(args: Arguments, name: string, parse: (text: string) => ParseResult<number>) {
  const text = optionValue(args, name);
  const parsed = text === undefined ? undefined : parse(text);
  return parsed?.status === 'ok' ? parsed.value : undefined;
}
