import type { Clock } from '../../common/clock.ts';
import type { Conditions, Logger } from '../../common/logger.ts';
import type { PollTime, Transition } from '../../run/run.ts';

/** What is known when the bridge ends, after the last export. */
export interface FinalSummary {
  /** Snapshots that the Collector did not accept in time. */
  readonly undelivered: number;
  /** Of the last run that was traced. */
  readonly traceId: string | undefined;
}

/** An optional output that is told about the run. The polling loop never waits for it. */
export interface Notifier {
  /** Called after each poll with the run as it is now and its events. Returns at once; what it sends continues in the background. */
  follow(transition: Transition, now: PollTime): void;
  /** Called once, when the bridge ends. Resolves when everything is sent, at the latest at the deadline. */
  close(summary: FinalSummary, deadlineMonotonicMs: number): Promise<void>;
}

/** What a notifier is made with, besides its own configuration. */
export interface NotifierOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly conditions: Conditions;
  readonly version: string;
}
