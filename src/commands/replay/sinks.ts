import { exportersOf } from '../../otlp/exporter.ts';
import { metricsRequest, metricsSignal } from '../../otlp/metrics-signal.ts';
import { spansRequest, spansSignal } from '../../otlp/spans-signal.ts';
import {
  adviseOnAge,
  describeWaiting,
  explainRejectedSpans,
  explainRejection,
  type RecordTimes,
} from './advice.ts';
import { createDelivery } from './delivery.ts';
import { createRecordSender, type RecordSender, type RecordSenderOptions } from './record-sender.ts';
import type { ReplayRequest } from './request.ts';
import { createBothSinks, createDrySink, type Sink } from './sink.ts';

export interface SinkContext {
  readonly version: string;
  readonly stdout: NodeJS.WritableStream;
  readonly signal: AbortSignal;
  /** Tells the user. */
  readonly say: (messages: readonly string[]) => void;
}

/** Opens where a request wants its data to go. */
export async function openSink(
  request: ReplayRequest,
  times: RecordTimes,
  context: SinkContext,
): Promise<Sink> {
  const { from, dryRun, output } = request;
  if (dryRun) return createDrySink();
  const spans = spanSender(request, context);
  if (output === undefined) {
    context.say(adviseOnAge(times, Date.now()));
    return createDelivery({ senders: [pointSender(request, times, context), ...spans], from });
  }
  const { createFileSink } = await import('./open-metrics/file-sink.ts');
  const file = await createFileSink({ path: output, ...context });
  return spans.length === 0 ? file : createBothSinks(file, createDelivery({ senders: spans, from }));
}

const common = ({
  signal,
  say,
}: SinkContext): Pick<RecordSenderOptions<unknown>, 'signal' | 'onWaiting'> => ({
  signal,
  onWaiting: (outcome) => say([describeWaiting(outcome)]),
});

const pointSender = (
  { config }: ReplayRequest,
  { firstMs }: RecordTimes,
  context: SinkContext,
): RecordSender =>
  createRecordSender({
    ...common(context),
    noun: 'points',
    createExporter: exportersOf(metricsSignal, { ...config, version: context.version }),
    requestsOf: ({ metrics }) => metrics.map((data) => metricsRequest('snapshot', data)),
    explain: (reason) => explainRejection(reason, firstMs, Date.now()),
  });

/** None if no spans are sent. */
function spanSender({ config: { traces } }: ReplayRequest, context: SinkContext): readonly RecordSender[] {
  if (traces === undefined) return [];
  return [
    createRecordSender({
      ...common(context),
      noun: 'spans',
      createExporter: exportersOf(spansSignal, { ...traces.destination, version: context.version }),
      requestsOf: ({ spans }) => spans.map((span) => spansRequest([span])),
      explain: explainRejectedSpans,
    }),
  ];
}
