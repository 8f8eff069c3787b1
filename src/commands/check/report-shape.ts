import type { CollectorReport } from './collector.ts';
import type { FieldReport } from './field.ts';
import type { Report } from './report.ts';

/** What `check --output json` prints, for the README. Members may be added; none changes its meaning or goes. */
export const reportMembers = {
  status: 'usable or unusable',
  file: 'path, outcome of reading it, bytes, modified, ageSeconds, owner (uid, gid, mode), and access: whether the bridge may read it (readable, closed, unknown)',
  problems: 'why the file cannot be used: message, and at (line, column, text, caret) for what is no JSON',
  notes: 'what is worth knowing although the file can be used',
  labels: 'the labels of every series of the run',
  fields: 'one entry a field, see below',
  runMetrics: "the run's own metrics, each with name, instrument, unit and series",
  bridgeSeries: 'names of the series about the bridge itself',
  collector: 'with --collector: status, endpoint, transport, and steps (step, status, detail, advice)',
} as const satisfies Readonly<Record<keyof (Report & { collector: CollectorReport }), string>>;

export const fieldMembers = {
  section: 'training_metrics, job_metadata or top level',
  field: 'its name in the file',
  written: 'its value in the file, as text, shortened',
  verdict: 'accepted, converted, ignored or refused',
  reason: 'a word for why, where it is not simply accepted',
  advice: 'the same for people',
  becomes: 'what comes of it where that is no metric',
  metric: 'name, instrument, unit, and series: each with name and labels; a bucket also has le',
} as const satisfies Readonly<Record<keyof FieldReport, string>>;
