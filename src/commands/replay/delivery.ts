import type { RecordSender } from './record-sender.ts';
import type { Sink, SinkResult } from './sink.ts';
import { resumeText } from './summary.ts';

export interface DeliveryOptions {
  readonly senders: readonly RecordSender[];
  /** Number of the first record that is sent. */
  readonly from: number;
}

/** Sends records to Collectors. A record has arrived when all its signals were accepted. */
export function createDelivery({ senders, from }: DeliveryOptions): Sink {
  let added = from - 1;
  let done = added;

  async function flush(): Promise<SinkResult> {
    for (const sender of senders) {
      const result = await sender.flush();
      if (result.status !== 'ok') return result;
    }
    done = added;
    return { status: 'ok' };
  }

  return {
    async add(data, record) {
      for (const sender of senders) sender.add(data);
      added = record;
      return senders.some(({ isFull }) => isFull) ? flush() : { status: 'ok' };
    },
    finish: flush,
    outcome: (result, records) =>
      result === 'complete'
        ? `All ${senders.map(({ noun }) => noun).join(' and ')} were accepted.`
        : resumeText(done, records),
    async close() {
      for (const sender of senders) sender.close();
    },
  };
}
