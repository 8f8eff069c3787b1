import { formatNumber, formatProgress } from '../../cli/terminal/format.ts';
import { estimatedRemainingMs, progressOf } from '../../run/estimate.ts';
import { nameOf, printable } from './rows.ts';
import type { WatchState } from './state.ts';

const shownFields = ['epoch', 'global_step', 'batch_number', 'training_loss', 'validation_loss', 'accuracy'];

/** What to print without a terminal: a line for each event and for each poll that found new snapshots. */
export function watchLines(before: WatchState, after: WatchState): readonly string[] {
  const prefix = `${nameOf(after)}  `;
  const known = new Set(before.events);
  const events = after.events.filter((event) => !known.has(event)).map(({ text }) => printable(text));
  const problems =
    after.run === undefined && after.problem !== undefined && after.problem !== before.problem
      ? [printable(after.problem)]
      : [];
  const values = after.snapshots === before.snapshots ? [] : [valuesText(after)];
  return [...events, ...problems, ...values].map((text) => `${prefix}${text}`);
}

function valuesText({ run, values }: WatchState): string {
  const share = run && progressOf(run);
  const progress = share === undefined ? [] : [formatProgress(share, run && estimatedRemainingMs(run))];
  const numbers = shownFields.flatMap((field) => {
    const value = values.get(field);
    return value === undefined ? [] : [`${field} ${formatNumber(value)}`];
  });
  return [...numbers, ...progress].join('  ');
}
