import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { createFallbackExporter, type FallbackExporterOptions } from '../../src/tracing/fallback-exporter.ts';

const unavailable = Object.assign(new Error('14 UNAVAILABLE'), { code: 14 });
const refused = Object.assign(new Error('16 UNAUTHENTICATED'), { code: 16 });

/** An exporter whose answers are given by hand, in any order. */
function scripted() {
  const open: ((error?: Error) => void)[] = [];
  const taken: ReadableSpan[][] = [];
  let down = false;
  const exporter: SpanExporter = {
    export: (spans, done) => {
      taken.push(spans);
      open.push((error) =>
        done(
          error === undefined ? { code: ExportResultCode.SUCCESS } : { code: ExportResultCode.FAILED, error },
        ),
      );
    },
    shutdown: async () => {
      down = true;
    },
  };
  return { exporter, taken, answer: (error?: Error) => open.shift()?.(error), isDown: () => down };
}

function guarded(first: SpanExporter, fallback?: SpanExporter) {
  const said: string[] = [];
  const options: FallbackExporterOptions = {
    destination: 'http://collector:4317',
    fallback: fallback === undefined ? undefined : () => fallback,
    log: (message) => said.push(message),
  };
  const exporter = createFallbackExporter(first, options);
  const send = (...names: string[]) =>
    new Promise<ExportResult>((resolve) =>
      exporter.export(
        names.map((name) => ({ name }) as ReadableSpan),
        resolve,
      ),
    );
  return { exporter, said, send };
}

const ok = { code: ExportResultCode.SUCCESS };
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('createFallbackExporter', () => {
  it('says one line when spans are lost and one when they arrive again', async () => {
    const first = scripted();
    const { said, send } = guarded(first.exporter);
    for (const error of [undefined, unavailable, unavailable, refused, undefined, undefined]) {
      const sent = send('a', 'b');
      first.answer(error);
      expect(await sent).toEqual(error === undefined ? ok : { code: ExportResultCode.FAILED, error });
    }
    expect(said).toEqual([
      'spans are lost, the export to http://collector:4317 fails: 14 UNAVAILABLE',
      'spans are exported to http://collector:4317 again; 6 were lost',
    ]);
  });

  it('hands over to the fallback where the first export finds nobody, with the same spans', async () => {
    const [first, second] = [scripted(), scripted()];
    const { said, send } = guarded(first.exporter, second.exporter);
    const [one, two] = [send('a'), send('b')];
    first.answer(unavailable);
    await turn();
    second.answer();
    first.answer(unavailable);
    await turn();
    second.answer();
    expect(await Promise.all([one, two])).toEqual([ok, ok]);
    expect(second.taken.flat().map(({ name }) => name)).toEqual(['a', 'b']);
    expect(said).toEqual([
      'http://collector:4317 cannot be reached, spans are printed instead: 14 UNAVAILABLE',
    ]);
    expect(first.isDown()).toBe(true);
    void send('c');
    expect([first.taken.length, second.taken.length]).toEqual([2, 3]);
  });

  it.each([
    ['it answered, if only to refuse', [refused]],
    ['it took spans before', [undefined, unavailable]],
    ['it was only lost after a refusal', [refused, unavailable]],
  ])('does not hand over where %s', async (_why, answers) => {
    const [first, second] = [scripted(), scripted()];
    const { send } = guarded(first.exporter, second.exporter);
    for (const error of answers) {
      const sent = send('a');
      first.answer(error);
      await sent;
    }
    expect(second.taken).toHaveLength(0);
  });

  it('takes an exporter that throws for one that failed', async () => {
    const { send, said } = guarded({
      export: () => {
        throw new Error('cannot be serialized');
      },
      shutdown: async () => {},
    });
    expect(await send('a')).toMatchObject({ code: ExportResultCode.FAILED });
    expect(said).toHaveLength(1);
  });

  it('flushes what is on its way, and tells if that failed', async () => {
    const first = scripted();
    const { exporter, send } = guarded(first.exporter);
    await exporter.forceFlush?.();
    void send('a');
    void send('b');
    let flushed = false;
    const flush = exporter.forceFlush?.().finally(() => {
      flushed = true;
    });
    first.answer();
    await turn();
    expect(flushed).toBe(false);
    first.answer(refused);
    await expect(flush).rejects.toBe(refused);
  });
});
