import { onTestFinished } from 'vitest';
import type { ReceivedSpan } from '../../../src/commands/demo/receiver/span.ts';
import {
  type TraceReceiver as RunningReceiver,
  startTraceReceiver as start,
} from '../../../src/commands/demo/receiver/trace-receiver.ts';
import { until } from '../../support/until.ts';

export type { ReceivedEvent, ReceivedSpan } from '../../../src/commands/demo/receiver/span.ts';
export type { TraceReply } from '../../../src/commands/demo/receiver/trace-receiver.ts';

export interface TraceReceiver extends RunningReceiver {
  /** Waits for so many spans. */
  received(count: number): Promise<readonly ReceivedSpan[]>;
}

/** An OTLP/gRPC trace receiver in this process, stopped when the test is over. */
export async function startTraceReceiver(port = 0): Promise<TraceReceiver> {
  const receiver = await start({ port });
  onTestFinished(receiver.stop);
  const { spans } = receiver;
  return { ...receiver, received: (count) => until(() => spans.length >= count && spans, `${count} spans`) };
}
