import type { Config } from '../config/bridge.ts';
import type { Run } from '../run/run.ts';

export interface ExitInput {
  readonly run: Run | undefined;
  /** Time since the file was last written; undefined if it was never seen. */
  readonly fileAgeMs: number | undefined;
  /** When the bridge started, and the present time, by the monotonic clock. */
  readonly startedMs: number;
  readonly monotonicMs: number;
}

/** Long enough to upload a checkpoint after the end of the training. */
const outlivedAfterMs = 600_000;

/** Whether the run ended long ago and SIDECAR_MODE is not set. In an ordinary container, the bridge then keeps its Job from completing. */
export function outlivesRun(
  { run, monotonicMs }: Pick<ExitInput, 'run' | 'monotonicMs'>,
  { sidecarMode }: Pick<Config, 'sidecarMode'>,
): boolean {
  if (sidecarMode !== undefined || run?.overMonotonicMs === undefined) return false;
  return monotonicMs - run.overMonotonicMs >= outlivedAfterMs;
}

export type ExitPolicy = Pick<Config, 'sidecarMode' | 'exitAfterStaleMs' | 'exitAfterFailedMs'>;

/**
 * Why the bridge has to exit by itself; undefined if it has to continue. It exits only in container mode: there, nothing
 * signals the bridge when the trainer has ended, and a Job waits for all of its containers.
 */
export function shouldExit(
  { run, fileAgeMs, startedMs, monotonicMs }: ExitInput,
  { sidecarMode, exitAfterStaleMs, exitAfterFailedMs }: ExitPolicy,
): string | undefined {
  if (sidecarMode !== 'container') return undefined;
  if (run?.state === 'completed') return 'the run has completed';
  // A trainer that is restarted in its pod begins a new run.
  if (run?.state === 'failed' && monotonicMs - (run.overMonotonicMs ?? monotonicMs) >= exitAfterFailedMs)
    return `the run has failed, and no other began for EXIT_AFTER_FAILED, ${exitAfterFailedMs / 1000} s`;
  const uptimeMs = monotonicMs - startedMs;
  const idleMs = Math.min(fileAgeMs ?? uptimeMs, uptimeMs);
  return idleMs < exitAfterStaleMs
    ? undefined
    : `no write for EXIT_AFTER_STALE, ${exitAfterStaleMs / 1000} s`;
}
