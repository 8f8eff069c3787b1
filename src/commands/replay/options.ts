import type { OptionDefinition } from '../../cli/command.ts';
import type { ParseResult } from '../../common/setting.ts';
import { integer, seconds } from '../../common/setting-kinds.ts';
import { readInstant } from '../../snapshot/values.ts';

/** A time as Unix milliseconds, from ISO 8601 or seconds since 1970. */
function instant(text: string): ParseResult<number> {
  const reading = readInstant(/^\d+(\.\d+)?$/.test(text) ? Number(text) : text);
  return reading.status === 'ok'
    ? reading
    : { status: 'invalid', expected: 'a time such as 2026-11-20T10:30:00Z, or seconds since 1970' };
}

/** How each option with a value is read. */
export const replayValues = {
  start: instant,
  interval: seconds(0.001),
  from: integer(1, 1_000_000_000_000),
};

export const replayOptions = [
  {
    name: 'endpoint',
    argument: 'URL',
    description: 'Address of the Collector [default: OTEL_EXPORTER_OTLP_ENDPOINT]',
  },
  {
    name: 'output',
    short: 'o',
    argument: 'FILE',
    description: 'Write OpenMetrics text for promtool instead of sending; - is standard output',
  },
  {
    name: 'job-id',
    argument: 'NAME',
    description: 'job.id of the run; of several, NAME/FOLDER [default: JOB_ID, else the folder]',
  },
  {
    name: 'start',
    argument: 'TIME',
    parse: replayValues.start,
    description:
      'When the run began, for records that hold no time [default: so that the last record has the time of the file]',
  },
  {
    name: 'interval',
    argument: 'SECONDS',
    parse: replayValues.interval,
    description: 'Time between two records, for a log that says nothing about time',
  },
  {
    name: 'from',
    argument: 'N',
    parse: replayValues.from,
    description: 'Send only from this record on, as an earlier replay said when it stopped',
  },
  {
    name: 'trace',
    description: 'Also send a span for each run and each epoch; with --output, to the Collector',
  },
  { name: 'dry-run', description: 'Read everything and print the summary, but send nothing' },
] as const satisfies readonly OptionDefinition[];
