import type { Config } from '../config/bridge.ts';
import type { Run } from '../run/run.ts';

export interface ExitInput {
  readonly run: Run | undefined;
  /** Time since the file was last written; undefined if it was never seen. */
  readonly fileAgeMs: number | undefined;
  /** Time since the bridge started. */
  readonly uptimeMs: number;
}

export type ExitPolicy = Pick<Config, 'sidecarMode' | 'exitAfterStaleMs'>;

/**
 * Why the bridge has to exit by itself; undefined while it has to go on. Only in container mode: there nothing signals
 * the bridge when the trainer is done, and a Job waits for all of its containers.
 */
export function shouldExit(
  { run, fileAgeMs, uptimeMs }: ExitInput,
  { sidecarMode, exitAfterStaleMs }: ExitPolicy,
): string | undefined {
  if (sidecarMode !== 'container') return undefined;
  if (run?.state === 'completed' || run?.state === 'failed') return `the run has ${run.state}`;
  const idleMs = Math.min(fileAgeMs ?? uptimeMs, uptimeMs);
  return idleMs < exitAfterStaleMs
    ? undefined
    : `no write for EXIT_AFTER_STALE, ${exitAfterStaleMs / 1000} s`;
}
