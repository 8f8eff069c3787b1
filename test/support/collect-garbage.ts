/** Collects garbage at once; nothing without `--expose-gc`. The last resort also gives back what V8 holds in reserve: 3 MB or none. */
export const collectGarbage = (): void => globalThis.gc?.({ execution: 'sync', flavor: 'last-resort' });
