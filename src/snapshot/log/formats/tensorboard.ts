import protobuf from 'protobufjs/light.js';
import type { DecoderOptions, LogRecord, RecordDecoder } from './decoder.ts';
import { eventDescription } from './event-description.ts';
import { createProblemLog } from './problems.ts';
import { timeOf } from './record-times.ts';
import { scalarOf, type WireTensor } from './scalar.ts';
import { createFrameReader, type Frame } from './tfrecord.ts';

const eventType = protobuf.Root.fromJSON(eventDescription).lookupType('Event');

interface WireEvent {
  readonly wallTime?: number;
  /** Absent for 0. */
  readonly step?: number;
  readonly summary?: { readonly value?: readonly WireValue[] };
  readonly sessionLog?: { readonly status?: number };
}

interface WireValue {
  readonly tag?: string;
  readonly simpleValue?: number;
  readonly tensor?: WireTensor;
}

/** A record that the next event may add to. */
interface OpenRecord {
  readonly step: number;
  readonly time: number | undefined;
  readonly sessionStep: number | undefined;
  readonly scalars: Map<string, number>;
  end: number;
}

/** So that a file whose step never changes is not one record. */
const maxScalars = 2_048;
/** Scalars of one step that are further apart are two records. An evaluation is written long after the training loss. */
const maxSpreadMs = 1_000;
/** `SessionLog.START` in tensorboard/compat/proto/event.proto. */
const sessionStarted = 1;

/**
 * Decodes TensorBoard event files. Consecutive scalars of one step, written within a second, are one record, with the time of
 * the first. A tag that comes a second time begins a new record, and so does a writer that begins again (`purge_step`). Text,
 * histograms, images and graphs are passed over.
 */
export function createEventDecoder(options: DecoderOptions): RecordDecoder {
  const problems = createProblemLog();
  const frames = createFrameReader(options, problems);
  let open: OpenRecord | undefined;
  /** Of a session that began after the last scalar. */
  let nextSessionStep: number | undefined;

  function close(): readonly LogRecord[] {
    if (open === undefined) return [];
    const { step, time, scalars, end, sessionStep } = open;
    open = undefined;
    const fields = Object.fromEntries([...scalars, ['step', step]]);
    return [
      {
        fields,
        ...(time !== undefined && { time }),
        end,
        ...(sessionStep !== undefined && { sessionStep }),
      },
    ];
  }

  function decode({ data, end }: Frame): readonly LogRecord[] {
    const event = eventOf(data);
    if (event === undefined) {
      problems.add('not_an_event', 'a record is not an event of TensorBoard');
      return [];
    }
    const { step = 0, wallTime, summary } = event;
    const time = timeOf(wallTime);
    const records: LogRecord[] = [];
    if (startsSession(event)) {
      records.push(...close());
      nextSessionStep = step;
    }
    for (const value of summary?.value ?? []) {
      const scalar = value.simpleValue ?? (value.tensor && scalarOf(value.tensor));
      if (scalar === undefined || value.tag === undefined) continue;
      if (open !== undefined && !belongsTo(open, { step, time, tag: value.tag })) records.push(...close());
      open ??= { step, time, sessionStep: nextSessionStep, scalars: new Map(), end };
      nextSessionStep = undefined;
      open.scalars.set(value.tag, scalar);
      open.end = end;
    }
    return records;
  }

  return {
    push: (bytes) => frames.push(bytes).flatMap(decode),
    finish: close,
    get pending() {
      return frames.pending;
    },
    columns: undefined,
    takeProblems: problems.take,
  };
}

interface Scalar extends Pick<OpenRecord, 'step' | 'time'> {
  readonly tag: string;
}

const belongsTo = (record: OpenRecord, { step, time = 0, tag }: Scalar): boolean =>
  record.step === step &&
  !record.scalars.has(tag) &&
  record.scalars.size < maxScalars &&
  Math.abs(time - (record.time ?? 0)) <= maxSpreadMs;

/** The step at which the first bytes of an event file say that its writer began again; undefined if they do not. */
export function sessionStepIn(firstBytes: Uint8Array): number | undefined {
  const events = createFrameReader({}, createProblemLog())
    .push(firstBytes)
    .map(({ data }) => eventOf(data));
  const start = events.find((event) => event !== undefined && startsSession(event));
  return start && (start.step ?? 0);
}

const startsSession = ({ sessionLog }: WireEvent) => sessionLog?.status === sessionStarted;

function eventOf(data: Uint8Array): WireEvent | undefined {
  try {
    return eventType.toObject(eventType.decode(data), { longs: Number }) as WireEvent;
  } catch {
    return undefined;
  }
}
