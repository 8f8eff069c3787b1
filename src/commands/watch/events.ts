import type { RunEvent } from '../../run/run.ts';

export interface ShownEvent {
  readonly unixMs: number;
  readonly tone: 'good' | 'warning' | 'bad' | 'faint';
  readonly text: string;
}

type Description = Omit<ShownEvent, 'unixMs'>;

/** An event of the run in a few words; undefined for one that the screen shows in another way. */
export function describeEvent(event: RunEvent): Description | undefined {
  switch (event.kind) {
    case 'run_began':
      return { tone: 'good', text: `run began: ${event.run.identity.jobId ?? 'no job_id'}` };
    case 'run_ended':
      return runEnded(event);
    case 'became_non_finite':
      return { tone: 'bad', text: `${nameOfField(event.field)} became ${event.value}` };
    case 'became_finite':
      return { tone: 'good', text: `${nameOfField(event.field)} is finite again` };
    case 'stalled':
      return { tone: 'bad', text: 'the step does not advance any more' };
    case 'resumed':
      return { tone: 'good', text: 'the step advances again' };
    case 'went_stale':
      return { tone: 'warning', text: 'the file is not written any more' };
    case 'became_fresh':
      return { tone: 'good', text: 'the file is written again' };
    case 'run_rewound':
      return {
        tone: 'warning',
        text: `resumed at ${event.step === undefined ? 'an earlier step' : `step ${event.step}`}, was ${event.from}`,
      };
    case 'two_writers':
      return { tone: 'bad', text: 'two jobs write this file' };
    case 'epoch_ended':
      return { tone: 'faint', text: `epoch ${Math.floor(event.epoch)} ended` };
    case 'extras_refused':
      return {
        tone: 'warning',
        text: `more extra metrics than MAX_EXTRA_METRICS: ${event.names.join(', ')}`,
      };
    default:
      return undefined;
  }
}

/** Fields without a metric of their own are counted together. */
const nameOfField = (field: string) => (field === 'extra' ? 'another metric' : field);

function runEnded({ run, reason }: Extract<RunEvent, { kind: 'run_ended' }>): Description {
  const { error } = run.latest;
  if (run.state === 'failed') {
    const why = error === undefined ? '' : `: ${error.type}: ${error.message}`;
    return { tone: 'bad', text: `run failed${why}` };
  }
  return run.state === 'completed'
    ? { tone: 'good', text: 'run completed' }
    : { tone: 'faint', text: reason === 'replaced' ? 'replaced by another run' : 'run ended' };
}
