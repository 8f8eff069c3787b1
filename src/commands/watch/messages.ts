import { formatProgress } from '../../cli/terminal/format.ts';
import { estimatedRemainingMs, progressOf } from '../../run/estimate.ts';
import type { JsonNumber, PageCurve, PageFile, PageState } from './page/messages.ts';
import { fieldsOf, nameOf, placeOf } from './rows.ts';
import type { WatchState } from './state.ts';

export const pageState = (states: readonly WatchState[]): PageState => ({ files: states.map(pageFile) });

function pageFile(state: WatchState): PageFile {
  const { run, path, problem, fileAgeMs, values, previous, events, snapshots } = state;
  const share = run && progressOf(run);
  const progress = share === undefined ? [] : [formatProgress(share, run && estimatedRemainingMs(run))];
  return {
    name: nameOf(state),
    path,
    state: run?.state ?? 'waiting',
    problem: problem ?? null,
    ageMs: fileAgeMs ?? null,
    share: share ?? null,
    step: run?.progress.batches ?? null,
    place: run === undefined ? '' : [placeOf(run), ...progress].join(', '),
    numbers: fieldsOf(state).map((field) => ({
      field,
      value: jsonNumber(values.get(field) ?? Number.NaN),
      previous: previous.has(field) ? jsonNumber(previous.get(field) ?? Number.NaN) : null,
    })),
    events,
    version: `${snapshots} ${state.curves.get(fieldsOf(state)[0] ?? '')?.seen ?? 0}`,
  };
}

const jsonNumber = (value: number): JsonNumber =>
  Number.isFinite(value) ? value : (String(value) as JsonNumber);

/** The samples of a curve that are kept, and the latest. */
export function pageCurve({ curves }: WatchState, field: string): PageCurve {
  const { kept = [], latest } = curves.get(field) ?? {};
  const samples = latest === undefined || kept.at(-1) === latest ? kept : [...kept, latest];
  const hasCompanion = samples.some(({ companion }) => companion !== undefined);
  return {
    x: samples.map(({ batch }, index) => batch ?? index),
    values: samples.map(({ value }) => value),
    companions: hasCompanion ? samples.map(({ companion }) => companion ?? null) : null,
  };
}
