/** Records of a log, as many as a job appends between two saves. Each has its own time. */
export interface LogWriter {
  readonly header: string;
  /** Record of a step, which counts from 1, with its line break. */
  readonly record: (step: number) => string;
}

const firstMs = Date.UTC(2025, 9, 23, 10, 15);

/** Unix milliseconds. */
export const timeOfStep = (step: number): number => firstMs + step * 10;

const columns = ['timestamp', 'step', 'epoch', 'loss', 'lr', 'grad_norm'] as const;

function valuesOf(step: number): readonly number[] {
  return [timeOfStep(step) / 1_000, step, Math.ceil(step / 1_000), step + 0.5, 0.001, 1 / step];
}

export const logWriters: Readonly<Record<'jsonl' | 'csv', LogWriter>> = {
  jsonl: {
    header: '',
    record: (step) =>
      `${JSON.stringify(Object.fromEntries(valuesOf(step).map((value, index) => [columns[index], value])))}\n`,
  },
  csv: { header: `${columns.join(',')}\n`, record: (step) => `${valuesOf(step).join(',')}\n` },
};
