import { hostname } from 'node:os';
import { type Arguments, readArguments } from '../../cli/arguments.ts';
import { commandOf, programName } from '../../cli/command-table.ts';
import { columnsOf, type Output, printLines } from '../../cli/terminal/output.ts';
import { systemClock } from '../../common/clock.ts';
import type { Environment } from '../../common/setting.ts';
import { integer } from '../../common/setting-kinds.ts';
import { version } from '../../common/version.ts';
import { readConfig } from '../../config/bridge.ts';
import { removeExporterVariables } from '../../otlp/environment.ts';
import { bridgeResource } from '../../telemetry/resource.ts';
import type { Reader } from './access.ts';
import { tryCollector } from './collector.ts';
import { configurationLines, reportConfiguration } from './configuration.ts';
import { leftOut } from './field.ts';
import { lookAt } from './look.ts';
import { type Report, reportOn } from './report.ts';
import { fileJsonSchema } from './schema.ts';
import { collectorLines, reportLines } from './text.ts';
import { plainWatch, screenWatch, watch } from './watch.ts';

export interface CheckTerminal {
  readonly output?: Output;
  readonly errors?: Output;
  /** Ends `--watch` when aborted; without one, SIGINT and SIGTERM do, and the handlers are removed again. */
  readonly signal?: AbortSignal;
}

/**
 * `check [FILE]`: what the bridge makes of a metrics file.
 *
 * @returns the exit code: 0 usable, 1 not, 2 wrong arguments or variables
 */
export async function checkCommand(
  args: readonly string[],
  environment: Environment,
  terminal: CheckTerminal = {},
): Promise<number> {
  const { output = process.stdout, errors = process.stderr } = terminal;
  const { reader, asked, problems } = readCheckArguments(args);
  const refuse = (messages: readonly string[]) => {
    for (const message of messages) errors.write(`${programName} check: ${message}\n`);
    errors.write(`${programName} check --help shows what there is.\n`);
    return 2;
  };
  if (problems.length > 0) return refuse(problems);
  if (asked.schema) return printJson(output, fileJsonSchema(), 2);
  if (asked.printConfig) return printConfiguration(output, environment, asked.json);

  const reading = readConfig(
    asked.file === undefined ? environment : { ...environment, METRICS_FILE_PATH: asked.file },
  );
  if (reading.status === 'invalid') return refuse(reading.problems.map(({ message }) => message));
  for (const warning of reading.warnings)
    if (asked.collector) errors.write(`${programName} check: ${warning}\n`);
  const { config } = reading;
  const options = { config, resource: bridgeResource(config, hostname(), version), version, reader };
  const last = asked.watch
    ? await untilStopped(terminal.signal, output, (signal) =>
        watch({
          file: config.metricsFilePath,
          report: options,
          now: systemClock,
          pauseMs: Math.min(config.collectionIntervalMs, 500),
          signal,
          onReport: watchView(output, asked.json),
        }),
      )
    : (await reportOn(await lookAt(config.metricsFilePath), undefined, { ...options, now: systemClock() }))
        .report;
  removeExporterVariables(process.env);
  const collector = asked.collector ? await tryCollector(config, version) : undefined;
  if (!asked.watch && asked.json) printJson(output, { ...last, ...(collector && { collector }) }, 2);
  else {
    if (last !== undefined && !asked.watch) printLines(output, reportLines(last, columnsOf(output)));
    if (collector && asked.json) printJson(output, { collector });
    else if (collector) printLines(output, collectorLines(collector, columnsOf(output)));
  }
  return last === undefined || (isFine(last, asked.strict) && collector?.status !== 'failed') ? 0 : 1;
}

const isFine = ({ status, fields }: Report, strict: boolean) =>
  status === 'usable' && !(strict && leftOut(fields).length > 0);

function watchView(output: Output, json: boolean) {
  if (json) return (report: Report) => void printJson(output, report);
  const clock = () => new Date();
  return output.isTTY ? screenWatch(output, clock) : plainWatch(output, clock);
}

function printConfiguration(output: Output, environment: Environment, json: boolean): number {
  const report = reportConfiguration(environment, hostname(), version);
  if (json) printJson(output, report, 2);
  else printLines(output, configurationLines(report, columnsOf(output)));
  return report.status === 'ok' ? 0 : 2;
}

function printJson(output: Output, value: unknown, indent?: number): number {
  output.write(`${JSON.stringify(value, undefined, indent)}\n`);
  return 0;
}

/** Uid of the image's user. */
const defaultUid = 65_532;
const largestId = 2 ** 32 - 2;

function readCheckArguments(args: readonly string[]) {
  const command = commandOf('check');
  const { options, positionals, problems: wrong }: Arguments = readArguments(command, args);
  const problems = [...wrong];
  const identifiers = (name: string, fallback: readonly number[], most: number): readonly number[] => {
    const written = options[name];
    if (typeof written !== 'string') return fallback;
    const parsed = written.split(',', most).map((it) => integer(0, largestId)(it.trim()));
    const ids = parsed.flatMap((it) => (it.status === 'ok' ? [it.value] : []));
    if (ids.length < written.split(',').length)
      problems.push(
        `--${name} is ${JSON.stringify(written)}, expected ${most === 1 ? 'a whole number' : 'whole numbers, separated by commas'}.`,
      );
    return ids;
  };
  const [uid = defaultUid] = identifiers('uid', [defaultUid], 1);
  const reader: Reader = { uid, gids: identifiers('gid', [uid], 64) };
  const asked = {
    file: positionals[0],
    watch: options.watch === true,
    strict: options.strict === true,
    collector: options.collector === true,
    json: options.output === 'json',
    schema: options.schema === true,
    printConfig: options['print-config'] === true,
  };
  return { reader, asked, problems };
}

async function untilStopped<T>(
  given: AbortSignal | undefined,
  output: Output,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (given !== undefined) return task(given);
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.on('SIGINT', stop).on('SIGTERM', stop);
  // Whoever read along may leave, as `head` does; there is nobody to tell then.
  output.on('error', stop);
  try {
    return await task(controller.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    output.off('error', stop);
  }
}
