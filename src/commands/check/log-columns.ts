import type { FieldReport } from './field.ts';
import { writtenText } from './field.ts';
import type { LogState } from './log-state.ts';

/**
 * Reports on the columns of a log, in its order. `fields` are the reports on the fields of the metrics file that they are
 * mapped to.
 */
export function reportColumns(
  { written, columns }: LogState,
  fields: readonly FieldReport[],
): readonly FieldReport[] {
  const reports = new Map(fields.map((report) => [report.field, report]));
  return [...columns].flatMap(([column, use]): readonly FieldReport[] => {
    const common = {
      section: 'training_metrics',
      field: column,
      written: writtenText(written[column]),
    } as const;
    if (use.use === 'left_out')
      return [{ ...common, verdict: 'accepted', becomes: 'no metric: a time, or a repetition' }];
    if (use.use === 'name_taken')
      return [
        {
          ...common,
          verdict: 'refused',
          reason: 'name_taken',
          advice: `would be the metric ${use.name}, and another column is: rename one of them`,
        },
      ];
    const report = reports.get(use.use === 'field' ? use.field : use.name);
    if (report === undefined) return [];
    // What to write instead does not help: the framework writes it.
    const { advice, ...evaluation } = report;
    const isHelpful = evaluation.verdict !== 'accepted' || evaluation.reason === 'not_finite';
    return [{ ...evaluation, ...(isHelpful && advice !== undefined ? { advice } : {}), ...common }];
  });
}
