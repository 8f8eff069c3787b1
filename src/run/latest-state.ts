import type { Snapshot } from '../snapshot/snapshot.ts';

/** The state of a run after a record of a log: many logs write a field only now and then, so each keeps its last value. */
export function addToState(state: Snapshot, record: Snapshot): Snapshot {
  const { values, extras, nonFinite } = record;
  const isNumber = (name: string) => Object.hasOwn(values, name) || extras.has(name);
  return {
    ...(state.reportedProgress && { reportedProgress: state.reportedProgress }),
    ...record,
    values: { ...without(state.values, nonFinite), ...values },
    extras: new Map([...[...state.extras].filter(([name]) => !nonFinite.has(name)), ...extras]),
    nonFinite: new Map([...[...state.nonFinite].filter(([name]) => !isNumber(name)), ...nonFinite]),
  };
}

const without = (values: Snapshot['values'], names: ReadonlyMap<string, number>): Snapshot['values'] =>
  names.size === 0
    ? values
    : Object.fromEntries(Object.entries(values).filter(([field]) => !names.has(field)));
