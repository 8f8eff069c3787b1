import { hostname } from 'node:os';
import { optionValue } from '../../cli/arguments.ts';
import { type Arguments, type CommandContext, printErrors, refuse } from '../../cli/command.ts';
import { columnsOf, type Output, printLines } from '../../cli/terminal/output.ts';
import { systemClock } from '../../common/clock.ts';
import type { Environment } from '../../common/setting.ts';
import { version } from '../../common/version.ts';
import { readConfig } from '../../config/bridge.ts';
import { removeExporterVariables } from '../../otlp/environment.ts';
import { bridgeResource } from '../../telemetry/resource.ts';
import { type FileReader, groupIds, imageUserId } from './access.ts';
import { type CollectorReport, tryCollector } from './collector.ts';
import { configurationLines, reportConfiguration } from './configuration.ts';
import { skippedFields } from './field.ts';
import { readFileState } from './file-state.ts';
import { type Report, type ReportOptions, reportOn } from './report.ts';
import { fileJsonSchema } from './schema.ts';
import { collectorLines, reportLines } from './text.ts';
import { watch, watchCollector } from './watch.ts';
import { jsonWatch, plainWatch, screenWatch, type WatchView } from './watch-view.ts';

/**
 * `check [FILE]`: validates a metrics file.
 *
 * @returns the exit code: 0 usable, 1 not, 2 wrong arguments or variables
 */
export async function checkCommand(context: CommandContext): Promise<number> {
  const { args, environment, stdout } = context;
  const { options, positionals, problems } = args;
  if (problems.length > 0) return refuse(context, problems);
  if (options.schema) return printJson(stdout, fileJsonSchema(), 2);
  const isJson = options.output === 'json';
  if (options['print-config']) return printConfiguration(stdout, environment, isJson);

  const [file] = positionals;
  const reading = readConfig(file === undefined ? environment : { ...environment, METRICS_FILE_PATH: file });
  if (reading.status === 'invalid')
    return refuse(
      context,
      reading.problems.map(({ message }) => message),
    );
  if (options.collector) printErrors(context, reading.warnings);
  const { config } = reading;
  // The exporter would read them a second time.
  removeExporterVariables(process.env);
  const report = {
    config,
    resource: bridgeResource(config, hostname(), version),
    version,
    reader: readerOf(args),
  };
  return options.watch ? watchFile(context, report) : checkOnce(context, report);
}

type StaticOptions = Omit<ReportOptions, 'now'>;

async function checkOnce({ args, stdout }: CommandContext, options: StaticOptions): Promise<number> {
  const { config } = options;
  const read = await readFileState(config.metricsFilePath, config);
  const { report } = await reportOn(read, undefined, { ...options, now: systemClock() });
  const collector = args.options.collector ? await tryCollector(config, version) : undefined;
  if (args.options.output === 'json') printJson(stdout, { ...report, ...(collector && { collector }) }, 2);
  else {
    printLines(stdout, reportLines(report, columnsOf(stdout)));
    if (collector) printLines(stdout, collectorLines(collector, columnsOf(stdout)));
  }
  return exitCodeOf(args, report, collector);
}

/** Between two tests of the connection to the Collector. */
const collectorPauseMs = 10_000;

async function watchFile(context: CommandContext, options: StaticOptions): Promise<number> {
  const { args, stdout } = context;
  const { config } = options;
  const shown = { signal: context.stopSignal(), view: watchView(stdout, args) };
  const pauseMs = Math.min(config.collectionIntervalMs, 500);
  const [report, collector] = await Promise.all([
    watch({ ...shown, file: config.metricsFilePath, report: options, now: systemClock, pauseMs }),
    args.options.collector
      ? watchCollector(() => tryCollector(config, version), collectorPauseMs, shown)
      : undefined,
  ]);
  return report === undefined ? 0 : exitCodeOf(args, report, collector);
}

function exitCodeOf(
  { options }: Arguments,
  { status, fields }: Report,
  collector: CollectorReport | undefined,
): number {
  const skipsFields = skippedFields(fields).length > 0;
  const failed = status !== 'usable' || collector?.status === 'failed';
  return failed || (options.strict && skipsFields) ? 1 : 0;
}

function watchView(output: Output, { options }: Arguments): WatchView {
  if (options.output === 'json') return jsonWatch(output);
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

/** The arguments have been checked by their rows in the table of commands. */
function readerOf(args: Arguments): FileReader {
  const uid = Number(optionValue(args, 'uid') ?? imageUserId);
  const gids = groupIds(optionValue(args, 'gid') ?? String(uid));
  return { uid, gids: gids.status === 'ok' ? gids.value : [] };
}
