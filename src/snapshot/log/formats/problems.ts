import type { DecoderProblem, DecoderProblemKind } from './decoder.ts';

export interface ProblemLog {
  add(kind: DecoderProblemKind, message: string): void;
  take(): readonly DecoderProblem[];
}

/** Counts problems by kind. Of each kind the first message is kept until the problems are taken. */
export function createProblemLog(): ProblemLog {
  let problems = new Map<DecoderProblemKind, { count: number; readonly message: string }>();
  return {
    add(kind, message) {
      const known = problems.get(kind);
      if (known === undefined) problems.set(kind, { count: 1, message });
      else known.count++;
    },
    take() {
      // Sorted, because the order in which two kinds are found depends on how the bytes are split.
      const taken = [...problems].sort().map(([kind, problem]) => ({ kind, ...problem }));
      problems = new Map();
      return taken;
    },
  };
}
