/** Formats of logs that training frameworks append to. */
export const logFormats = ['jsonl', 'csv', 'tensorboard'] as const;
export type LogFormat = (typeof logFormats)[number];

/** Frameworks whose logs have names or rules of their own, with the format that each writes. */
export const frameworkFormats = {
  'llama-factory': 'jsonl',
  swift: 'jsonl',
  ultralytics: 'csv',
  keras: 'csv',
  lightning: 'csv',
  detectron2: 'jsonl',
  mmengine: 'jsonl',
  verl: 'jsonl',
} as const satisfies Readonly<Record<string, LogFormat>>;

export type Framework = keyof typeof frameworkFormats;

/** What a log is: a framework's, or of a format whose names follow the general rules. */
export type PresetName = Framework | LogFormat;

export const formatOfPreset = (name: PresetName): LogFormat =>
  name in frameworkFormats ? frameworkFormats[name as Framework] : (name as LogFormat);

/** Values of METRICS_FILE_FORMAT. `json` is the metrics file that holds the latest values. */
export const metricsFileFormats: readonly ('auto' | 'json' | PresetName)[] = [
  'auto',
  'json',
  ...(Object.keys(frameworkFormats) as Framework[]),
  ...logFormats,
];
