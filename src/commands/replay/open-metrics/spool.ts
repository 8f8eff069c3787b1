import { createReadStream } from 'node:fs';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Family, headerOf, type PointLines } from './samples.ts';

/** Sorts lines by family and series, which the records have mixed. */
export interface Spool {
  add(point: PointLines): void;
  /** Writes to the disk what is in memory, if that is much. Call it now and then. */
  relieve(): Promise<void>;
  /** The whole text, family by family. */
  text(): AsyncGenerator<string | Uint8Array>;
  remove(): Promise<void>;
}

interface SeriesFile {
  readonly path: string;
  held: string[];
  isWritten: boolean;
}

/** In UTF-16 units, for all series together. */
const maxHeld = 8 * 1_048_576;

/** Keeps one temporary file for each series, so that memory does not grow with the number of records. */
export async function createSpool(): Promise<Spool> {
  const folder = await mkdtemp(join(tmpdir(), 'ml-metrics-bridge-replay-'));
  const families = new Map<string, { readonly family: Family; readonly series: Map<string, SeriesFile> }>();
  let files = 0;
  let held = 0;

  function fileOf({ family, labels }: PointLines): SeriesFile {
    const known = families.get(family.name) ?? { family, series: new Map<string, SeriesFile>() };
    families.set(family.name, known);
    const file = known.series.get(labels) ?? {
      path: join(folder, String(files++)),
      held: [],
      isWritten: false,
    };
    known.series.set(labels, file);
    return file;
  }

  return {
    add(point) {
      fileOf(point).held.push(point.lines);
      held += point.lines.length;
    },
    async relieve() {
      if (held < maxHeld) return;
      held = 0;
      for (const file of [...families.values()].flatMap(({ series }) => [...series.values()])) {
        if (file.held.length === 0) continue;
        await appendFile(file.path, file.held.join(''));
        file.held = [];
        file.isWritten = true;
      }
    },
    async *text() {
      for (const { family, series } of families.values()) {
        yield headerOf(family);
        for (const file of series.values()) {
          if (file.isWritten) yield* createReadStream(file.path);
          yield file.held.join('');
        }
      }
      yield '# EOF\n';
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
