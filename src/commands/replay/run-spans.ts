import { TraceFlags } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { TraceConfig } from '../../config/traces.ts';
import { ownSnapshot } from '../../run/run.ts';
import { createSpanWriter } from '../../telemetry/spans/span-writer.ts';
import { advanceTimeline, newTimeline } from '../../telemetry/spans/timeline.ts';
import type { OnTransition } from './run-points.ts';

/** Makes the spans of recorded runs, with the ids that they have in a bridge that saw the whole run. */
export interface RunSpans {
  /** Gives what follows the runs of one log. */
  followLog(): OnTransition;
  /** The spans that have ended since the last call. */
  take(): readonly ReadableSpan[];
}

/** The trace of a run. */
export interface RunTrace {
  readonly traceId: string;
  readonly jobId: string | undefined;
}

export interface RunSpansOptions {
  readonly config: TraceConfig;
  readonly resource: Resource;
  readonly version: string;
  readonly warn: (message: string) => void;
  /** Called when a run begins whose spans are sampled. */
  readonly onTrace: (trace: RunTrace) => void;
}

export function createRunSpans({ onTrace, ...options }: RunSpansOptions): RunSpans {
  let ended: ReadableSpan[] = [];
  const processor: SpanProcessor = {
    onStart: () => undefined,
    onEnd(span) {
      if (span.spanContext().traceFlags & TraceFlags.SAMPLED) ended.push(span);
    },
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  let traceId: string | undefined;
  const writer = createSpanWriter({
    ...options,
    processor,
    onTraced(run) {
      traceId = run.sampled ? run.traceId : undefined;
    },
  });
  const instanceId = String(options.resource.attributes['service.instance.id']);

  return {
    followLog() {
      // No run began before a bridge that has always been there.
      let timeline = newTimeline({ instanceId, startedUnixMs: 0, saved: undefined });
      return (transition, snapshot, now) => {
        const next = advanceTimeline(timeline, transition, ownSnapshot(transition, snapshot), now);
        timeline = next.timeline;
        for (const action of next.actions) {
          writer.write(action);
          if (action.kind === 'run_began' && traceId !== undefined)
            onTrace({ traceId, jobId: action.run.key.jobId });
        }
      };
    },
    take() {
      const spans = ended;
      ended = [];
      return spans;
    },
  };
}
