import { hostname } from 'node:os';
import { type CommandContext, printErrors, refuse } from '../../cli/command.ts';
import { systemClock } from '../../common/clock.ts';
import { version } from '../../common/version.ts';
import { removeExporterVariables } from '../../otlp/environment.ts';
import { exportersOf } from '../../otlp/exporter.ts';
import { metricsSignal } from '../../otlp/metrics-signal.ts';
import { bridgeResource } from '../../telemetry/resource.ts';
import { adviseOnAge, describeWaiting, explainRejection } from './advice.ts';
import { createDelivery } from './delivery.ts';
import { planReplay, type ReplayPlan } from './plan.ts';
import { createProgressLine } from './progress.ts';
import { replay } from './replay.ts';
import { type ReplayRequest, readRequest } from './request.ts';
import { createDrySink, type Sink } from './sink.ts';
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
  const plan = await planReplay(request, { clock: systemClock, signal, onSkipped: tally.skipped });
  switch (plan.status) {
    case 'ok':
      return run(context, request, plan, { tally, signal });
    case 'refused':
      return refuse(context, plan.problems);
    case 'unreadable':
      printErrors(context, plan.reasons);
      return 1;
    case 'stopped':
      return 1;
  }
}

async function run(
  context: CommandContext,
  request: ReplayRequest,
  plan: ReplayPlan,
  { tally, signal }: { readonly tally: Tally; readonly signal: AbortSignal },
): Promise<number> {
  const { config, from, output } = request;
  const nowMs = () => systemClock().monotonicMs;
  const progress = createProgressLine(context.stderr, { total: plan.records, from, nowMs });
  const say = (messages: readonly string[]) => {
    progress.clear();
    printErrors(context, messages);
  };
  say(plan.failures);
  const sink = await openSink(context, request, plan, { signal, say });
  const resource = bridgeResource(config, hostname(), version);
  const options = { config, resource, version, from, sink, tally, signal, onRecord: progress.update };
  try {
    const result = await replay(plan, options);
    progress.clear();
    if (result.status === 'failed') printErrors(context, [result.reason]);
    if (result.status !== 'ok') {
      printErrors(context, [sink.outcome('incomplete', plan.records)]);
      return 1;
    }
    const lines = [...summaryLines(plan, tally), sink.outcome('complete', plan.records)];
    (output === '-' ? context.stderr : context.stdout).write(`${lines.join('\n')}\n`);
    return plan.failures.length === 0 ? 0 : 1;
  } finally {
    await sink.close();
  }
}

interface SinkContext {
  readonly signal: AbortSignal;
  readonly say: (messages: readonly string[]) => void;
}

async function openSink(
  { stdout }: CommandContext,
  { config, from, dryRun, output }: ReplayRequest,
  { firstMs, lastMs }: ReplayPlan,
  { signal, say }: SinkContext,
): Promise<Sink> {
  if (dryRun) return createDrySink();
  if (output !== undefined) {
    const { createFileSink } = await import('./open-metrics/file-sink.ts');
    return createFileSink({ path: output, stdout, signal });
  }
  say(adviseOnAge({ firstMs, lastMs }, Date.now()));
  return createDelivery({
    createExporter: exportersOf(metricsSignal, { ...config, version }),
    signal,
    from,
    onWaiting: (outcome) => say([describeWaiting(outcome)]),
    explain: (reason) => explainRejection(reason, firstMs, Date.now()),
  });
}
