import { hostname } from 'node:os';
import { type CommandContext, printErrors, refuse } from '../../cli/command.ts';
import { formatNumber } from '../../cli/terminal/format.ts';
import { systemClock } from '../../common/clock.ts';
import { version } from '../../common/version.ts';
import type { TraceConfig } from '../../config/traces.ts';
import { removeExporterVariables } from '../../otlp/environment.ts';
import { bridgeResource } from '../../telemetry/resource.ts';
import { hasInvalidParent } from '../../telemetry/spans/parent.ts';
import { planReplay, type ReplayPlan } from './plan.ts';
import { createProgressLine, type ProgressLine, sendingText } from './progress.ts';
import { replay } from './replay.ts';
import { type ReplayRequest, readRequest } from './request.ts';
import type { RunSpans, RunSpansOptions, RunTrace } from './run-spans.ts';
import { openSink } from './sinks.ts';
import { summaryLines } from './summary.ts';
import { createTally, type Tally } from './tally.ts';

/**
 * `replay FILE|FOLDER`: sends finished logs with their own times, or writes them as OpenMetrics.
 *
 * @returns the exit code: 0 all was sent, 1 not all, 2 wrong arguments or variables
 */
export async function replayCommand(context: CommandContext): Promise<number> {
  const reading = readRequest(context.args, context.environment);
  if (reading.status === 'invalid') return refuse(context, reading.problems);
  const { request } = reading;
  if (!request.dryRun) printErrors(context, request.warnings);
  // The exporter would read them a second time.
  removeExporterVariables(process.env);
  const signal = context.stopSignal();
  const tally = createTally();
  const progress = createProgressLine(context.stderr, () => systemClock().monotonicMs);
  const plan = await planReplay(request, {
    clock: systemClock,
    signal,
    onSkipped: tally.skipped,
    onRecords: (records) => progress.show(() => `${formatNumber(records)} records read`),
  });
  progress.clear();
  switch (plan.status) {
    case 'ok':
      return sendPlan(context, request, plan, { tally, progress, signal });
    case 'refused':
      return refuse(context, plan.problems);
    case 'unreadable':
      printErrors(context, plan.reasons);
      return 1;
    case 'stopped':
      printErrors(context, ['stopped before the first record was sent']);
      return 1;
  }
}

interface SendPlanOptions {
  readonly tally: Tally;
  readonly progress: ProgressLine;
  readonly signal: AbortSignal;
}

async function sendPlan(
  context: CommandContext,
  request: ReplayRequest,
  plan: ReplayPlan,
  { tally, progress, signal }: SendPlanOptions,
): Promise<number> {
  const { config, from, output } = request;
  const { stdout, stderr } = context;
  const say = (messages: readonly string[]) => {
    progress.clear();
    printErrors(context, messages);
  };
  say(plan.failures);
  const resource = bridgeResource(config, hostname(), version);
  const traces: RunTrace[] = [];
  const spans = await createTracing(config.traces, { resource, version, traces, say });
  const sink = await openSink(request, plan, { version, stdout, signal, say });
  const startedMs = systemClock().monotonicMs;
  const onRecord = (record: number) =>
    progress.show(() => {
      const elapsedMs = systemClock().monotonicMs - startedMs;
      return sendingText({ record, from, total: plan.records, elapsedMs });
    });
  const options = { config, resource, version, from, spans, sink, tally, signal, onRecord };
  try {
    const result = await replay(plan, options);
    progress.clear();
    if (result.status === 'failed') printErrors(context, [result.reason]);
    if (result.status !== 'ok') {
      printErrors(context, [sink.outcome('incomplete', plan.records)]);
      return 1;
    }
    const lines = [...summaryLines(plan, tally, traces), sink.outcome('complete', plan.records)];
    (output === '-' ? stderr : stdout).write(`${lines.join('\n')}\n`);
    return plan.failures.length === 0 ? 0 : 1;
  } finally {
    await sink.close();
  }
}

interface Tracing extends Pick<RunSpansOptions, 'resource' | 'version'> {
  /** Is given the trace of each run. */
  readonly traces: RunTrace[];
  readonly say: (messages: readonly string[]) => void;
}

/** What makes the spans; undefined if none are sent. */
async function createTracing(
  config: TraceConfig | undefined,
  { traces, say, ...shared }: Tracing,
): Promise<RunSpans | undefined> {
  if (config === undefined) return undefined;
  if (hasInvalidParent(config.parent)) say(['TRACEPARENT is not a valid W3C traceparent and is ignored']);
  const { createRunSpans } = await import('./run-spans.ts');
  return createRunSpans({
    ...shared,
    config,
    warn: (message) => say([message]),
    onTrace: (trace) => void traces.push(trace),
  });
}
