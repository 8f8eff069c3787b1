import type { PostResult } from './post.ts';

export type PostProblem = Exclude<PostResult, { readonly status: 'ok' }>;

/** What went wrong with a post and what to do about it. Each kind of problem is logged once while it lasts. */
export interface Explanation {
  readonly kind: string;
  readonly message: string;
}

const rejections: Readonly<Record<number, string>> = {
  401: 'Kubeflow Trainer does not accept the token. Create the TrainJob again from a manifest that inject --trainjob-status wrote',
  403: 'Kubeflow Trainer refuses the token: it is for another TrainJob, or the pod is not of this one. Run inject --trainjob-status on this TrainJob, with its own name and namespace',
  404: 'Kubeflow Trainer does not know this TrainJob or this address. If the TrainJob still exists, correct KUBEFLOW_TRAINER_SERVER_URL',
  413: 'The status is too large for Kubeflow Trainer. Set MAX_EXTRA_METRICS to a lower number',
  422: 'Kubeflow Trainer does not accept the content of the status. Its version may need another version of the bridge',
};

export function explainProblem(problem: PostProblem): Explanation {
  if (problem.status === 'unreadable') return { kind: problem.file, message: unreadable[problem.file] };
  if (problem.status === 'failed')
    return { kind: 'failed', message: 'TrainJob status cannot be posted; it is tried again, less often' };
  const { httpStatus } = problem;
  const isRedirect = httpStatus >= 300 && httpStatus < 400;
  const other = isRedirect
    ? 'Redirects are not followed. Set KUBEFLOW_TRAINER_SERVER_URL to the address of Kubeflow Trainer itself'
    : 'Kubeflow Trainer answered with an unexpected status. Check KUBEFLOW_TRAINER_SERVER_URL';
  return { kind: String(httpStatus), message: notPosted(rejections[httpStatus] ?? other) };
}

const notPosted = (reason: string) => `TrainJob status is not posted. ${reason}`;

const unreadable: Readonly<Record<'token' | 'ca', string>> = {
  token: notPosted(
    'The token cannot be read from KUBEFLOW_TRAINER_SERVER_TOKEN. Run inject --trainjob-status, which mounts it',
  ),
  ca: notPosted(
    'The certificate authority cannot be read from KUBEFLOW_TRAINER_SERVER_CA_CERT. The feature gate TrainJobStatus of Kubeflow Trainer is probably off: turn it on, or do without the status',
  ),
};
