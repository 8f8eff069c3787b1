import {
  type Environment,
  type ParseResult,
  type Problem,
  readSettings,
  setting,
} from '../common/setting.ts';
import { boolean, textSetting } from '../common/setting-kinds.ts';

/** Only https, because each request carries a token. */
function httpsAddress(text: string): ParseResult<string> {
  return URL.canParse(text) && new URL(text).protocol === 'https:'
    ? { status: 'ok', value: text }
    : { status: 'invalid', expected: 'an address that starts with https://' };
}

/** Kubeflow Trainer sets the variables of its own in a trainer; the first one is ours, so that nothing is posted unasked. */
export const trainJobStatusSettings = {
  trainJobStatus: setting(
    'TRAINJOB_STATUS',
    boolean,
    false,
    'true: progress, time left and metrics of the run are posted to the status of the Kubeflow TrainJob, on change and at most every 30 seconds. inject --trainjob-status sets it and the next three',
  ),
  trainJobStatusUrl: setting<string | undefined>(
    'KUBEFLOW_TRAINER_SERVER_URL',
    httpsAddress,
    undefined,
    'With TRAINJOB_STATUS: the address of the status of this TrainJob at the controller of Kubeflow Trainer',
  ),
  trainJobStatusCaFile: setting<string | undefined>(
    'KUBEFLOW_TRAINER_SERVER_CA_CERT',
    textSetting,
    undefined,
    "With TRAINJOB_STATUS: PEM file of the certificate authority of that address, instead of Node's. It is read again for each request",
  ),
  trainJobStatusTokenFile: setting<string | undefined>(
    'KUBEFLOW_TRAINER_SERVER_TOKEN',
    textSetting,
    undefined,
    'With TRAINJOB_STATUS: file with a token for this TrainJob. It is read again for each request',
  ),
} as const;

/** Where the status of a TrainJob is posted. */
export interface TrainJobStatusConfig {
  readonly url: string;
  readonly caFile: string | undefined;
  readonly tokenFile: string;
}

export type TrainJobStatusConfigResult =
  | {
      readonly status: 'ok';
      readonly config: TrainJobStatusConfig | undefined;
      readonly warnings: readonly string[];
    }
  | { readonly status: 'invalid'; readonly problems: readonly Problem[] };

/** Reads the variables of the TrainJob status. Undefined if TRAINJOB_STATUS is not true; the others do not count then. */
export function readTrainJobStatusConfig(environment: Environment): TrainJobStatusConfigResult {
  const { problems, values } = readSettings(trainJobStatusSettings, environment);
  const { trainJobStatus, trainJobStatusUrl: url, trainJobStatusTokenFile: tokenFile } = values;
  const relevant = trainJobStatus
    ? problems
    : problems.filter(({ variable }) => variable === trainJobStatusSettings.trainJobStatus.variable);
  if (relevant.length > 0) return { status: 'invalid', problems: relevant };
  if (!trainJobStatus) return { status: 'ok', config: undefined, warnings: [] };
  // A cluster may have turned the feature off, which must not stop the metrics.
  if (url === undefined || tokenFile === undefined)
    return { status: 'ok', config: undefined, warnings: [incomplete] };
  return { status: 'ok', config: { url, caFile: values.trainJobStatusCaFile, tokenFile }, warnings: [] };
}

const incomplete =
  'TRAINJOB_STATUS is true, but KUBEFLOW_TRAINER_SERVER_URL or KUBEFLOW_TRAINER_SERVER_TOKEN is not set: no TrainJob status is posted';

/** The settings for printing; none of them is secret. */
export function printableTrainJobStatus(config: TrainJobStatusConfig | undefined): Record<string, unknown> {
  return {
    trainJobStatus: config !== undefined,
    trainJobStatusUrl: config?.url,
    trainJobStatusCaFile: config?.caFile,
    trainJobStatusTokenFile: config?.tokenFile,
  };
}
