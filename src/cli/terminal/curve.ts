export interface Sample {
  /** Batches trained at this sample; undefined if the job does not write it. */
  readonly batch: number | undefined;
  readonly epoch: number | undefined;
  readonly value: number;
  /** A value to draw with it, such as the validation loss with the loss. */
  readonly companion?: number | undefined;
}

/**
 * A history of constant size: every `stride`-th sample is kept, and when there are too many, every second one is removed
 * and the stride doubles. The latest sample is always included.
 */
export interface Curve {
  readonly kept: readonly Sample[];
  readonly latest: Sample | undefined;
  readonly stride: number;
  readonly seen: number;
}

export const mostKept = 400;

export const emptyCurve: Curve = { kept: [], latest: undefined, stride: 1, seen: 0 };

/** Adds a sample. A value that is not finite cannot be drawn and does not change the curve. */
export function extendCurve(curve: Curve, sample: Sample): Curve {
  if (!Number.isFinite(sample.value)) return curve;
  const next = { ...curve, latest: sample, seen: curve.seen + 1 };
  if (curve.seen % curve.stride !== 0) return next;
  const kept = [...curve.kept, sample];
  if (kept.length <= mostKept) return { ...next, kept };
  return { ...next, kept: kept.filter((_, index) => index % 2 === 0), stride: curve.stride * 2 };
}

/** The samples to draw, oldest first, at most `most` of them: neighbours are averaged. */
export function drawnSamples(curve: Curve, most: number): readonly Sample[] {
  const { kept, latest } = curve;
  const samples = latest === undefined || kept.at(-1) === latest ? kept : [...kept, latest];
  if (samples.length <= most) return samples;
  return Array.from({ length: most }, (_, column) => {
    const from = Math.floor((column * samples.length) / most);
    const group = samples.slice(from, Math.floor(((column + 1) * samples.length) / most));
    const value = group.reduce((sum, sample) => sum + sample.value / group.length, 0);
    const companion = group.findLast((sample) => sample.companion !== undefined)?.companion;
    // The last sample of the group labels the column, so that the axis ends at the latest one.
    return { batch: group.at(-1)?.batch, epoch: group.at(-1)?.epoch, value, companion };
  });
}
