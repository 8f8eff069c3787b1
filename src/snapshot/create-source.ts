import type { Clock } from '../common/clock.ts';
import type { Config } from '../config/bridge.ts';
import { parseMetricsFile } from './interpret.ts';
import { createJsonFile } from './json-file.ts';
import type { SnapshotParser } from './snapshot.ts';
import type { PollOutcome, SnapshotSource } from './source.ts';

export type SourceConfig = Pick<
  Config,
  'metricsFilePath' | 'metricsFileFormat' | 'metricsStart' | 'jobId' | 'modelName' | 'dataset'
>;

export interface SourceChoice {
  readonly source: SnapshotSource;
  /** Given each outcome of `source`: the source that has to replace it, if the file turns out to be of another format. */
  readonly replacement?:
    | ((outcome: PollOutcome) => Promise<SnapshotSource | undefined> | undefined)
    | undefined;
}

export interface SourceOptions {
  /** Path of the file that stores how far a log was exported. */
  readonly positionFile?: string | undefined;
  /** Reads a file that is no log. */
  readonly parse?: SnapshotParser;
}

/** The source for METRICS_FILE_PATH. What reads logs is loaded only for a log. */
export async function createSource(
  config: SourceConfig,
  clock: Clock,
  { positionFile, parse = parseMetricsFile }: SourceOptions = {},
): Promise<SourceChoice> {
  const { metricsFilePath: path, metricsFileFormat, metricsStart, jobId, modelName, dataset } = config;
  const startedUnixMs = clock().unixMs;
  const openLog = async (start = metricsStart): Promise<SnapshotSource> => {
    const { createLogSource } = await import('./log/log-source.ts');
    const format = metricsFileFormat === 'json' ? 'auto' : metricsFileFormat;
    const job = { jobId, modelName, dataset };
    return createLogSource({ path, clock, startedUnixMs, format, start, job, positionFile });
  };
  if (metricsFileFormat !== 'json' && (metricsFileFormat !== 'auto' || isNameOfLog(path)))
    return { source: await openLog() };
  const source = createJsonFile({ path, clock, parse });
  return metricsFileFormat === 'json' ? { source } : { source, replacement: detectLog(path, openLog) };
}

const isNameOfLog = (path: string) => /\.(csv|jsonl|ndjson)$|tfevents|[*?]/i.test(path);

/** Outcomes of reading a log as if it were a metrics file. */
const outcomesOfLogs: ReadonlySet<PollOutcome['status']> = new Set([
  'malformed',
  'no_metrics',
  'too_large',
  'not_a_file',
]);

function detectLog(
  path: string,
  openLog: (start?: 'beginning') => Promise<SnapshotSource>,
): SourceChoice['replacement'] {
  let isNew = false;
  return ({ status }) => {
    if (status === 'missing' || status === 'empty') isNew = true;
    if (!outcomesOfLogs.has(status)) return undefined;
    return import('./log/is-log.ts').then(async ({ isLog }) => {
      // All of a file that appeared after the bridge started is new.
      if (await isLog(path)) return openLog(isNew ? 'beginning' : undefined);
      isNew ||= status === 'not_a_file';
      return undefined;
    });
  };
}
