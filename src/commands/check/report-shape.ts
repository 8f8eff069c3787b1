import type { CollectorReport } from './collector.ts';
import type { FieldReport } from './field.ts';
import type { Report } from './report.ts';

/** What `check --output json` prints, for the documentation. Members may be added; none is removed or changes its meaning. */
export const reportMembers = {
  status: 'usable or unusable',
  file: 'path, outcome of reading it, format (json, or that of a log), bytes, modified, ageSeconds, owner (uid, gid, mode), and access: whether the bridge can read it (readable, closed, unknown)',
  problems: 'why the file is not usable: message, and for a JSON syntax error at (line, column, text, caret)',
  notes: 'warnings about a usable file',
  labels: 'the labels of every series of the run',
  fields: 'one entry per field, see below',
  progress:
    'share of the run that is done (0 to 1), and with --watch remainingSeconds; null if the file does not say how long the run is',
  runMetrics: 'metrics of the state of the run, each with name, instrument, unit and series',
  bridgeSeries: "names of the series of the bridge's own metrics",
  collector: 'with --collector: status, endpoint, transport, and steps (step, status, detail, advice)',
} as const satisfies Readonly<Record<keyof (Report & { collector: CollectorReport }), string>>;

export const fieldMembers = {
  section: 'training_metrics, job_metadata or top level',
  field: 'its name in the file',
  written: 'its value in the file, as text, shortened',
  verdict: 'accepted, converted, ignored or refused',
  reason: 'a word for why, if it is not simply accepted',
  advice: 'the same for people',
  becomes: 'what it is used for if it is not a metric',
  metric: 'name, instrument, unit, and series: each with name and labels; a bucket also has le',
} as const satisfies Readonly<Record<keyof FieldReport, string>>;
