import { readFile } from 'node:fs/promises';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Conditions } from '../../common/logger.ts';
import { writeStateFile } from '../../common/state-file.ts';
import { settlesWithin } from '../../common/timing.ts';
import { type RunKey, spanIdOf } from './ids.ts';

/** The span of a run, as the next bridge needs to know it. */
export interface SavedRunSpan {
  /** The id that the span has if one bridge sees the whole run. */
  readonly run: string;
  /** `RunKey.part` of the span. */
  readonly part: string | undefined;
  /** The Collector has accepted the span, so that no other may have its id. */
  readonly isSent: boolean;
}

/** Keeps the span of the last run in a file that outlives the bridge. */
export interface RunSpanStore {
  /** What the previous bridge left. */
  readonly previous: SavedRunSpan | undefined;
  /** Saves that the span of this run will be sent. Does not wait until it is written. */
  began(key: RunKey): void;
  /** Saves that the span was sent if it is among these. */
  accepted(spans: readonly ReadableSpan[]): void;
  /** Resolves when the last state is written. */
  written(): Promise<void>;
}

const version = 1;
/** The volume may hang, and polling must not wait for it. */
const longestReadMs = 1_000;

export async function openRunSpanStore(file: string, conditions: Conditions): Promise<RunSpanStore> {
  const reading = readSaved(file);
  const previous = (await settlesWithin(longestReadMs, reading)) ? await reading : undefined;
  let writing: Promise<void> = Promise.resolve();
  let open: RunKey | undefined;
  const save = (key: RunKey, isSent: boolean) => {
    const { part } = key;
    const span: SavedRunSpan = { run: spanIdOf({ ...key, part: undefined }), part, isSent };
    writing = writing
      .then(() => writeStateFile(file, JSON.stringify({ version, ...span })))
      .catch((error: unknown) =>
        conditions.raise(
          'run span',
          'warn',
          { path: file, reason: String(error) },
          'State of the run span cannot be kept: if the bridge is killed, its epochs may lose their parent',
        ),
      );
  };
  return {
    previous,
    began(key) {
      open = key;
      save(key, false);
    },
    accepted(spans) {
      if (open === undefined) return;
      const id = spanIdOf(open);
      if (spans.some((span) => span.spanContext().spanId === id)) save(open, true);
    },
    written: () => writing,
  };
}

/** Undefined if there is none that can be used. Never throws. */
async function readSaved(file: string): Promise<SavedRunSpan | undefined> {
  try {
    const { version: found, run, part, isSent } = JSON.parse(await readFile(file, 'utf8'));
    const isUsable = found === version && typeof run === 'string' && typeof isSent === 'boolean';
    return isUsable ? { run, part: typeof part === 'string' ? part : undefined, isSent } : undefined;
  } catch {
    return undefined;
  }
}
