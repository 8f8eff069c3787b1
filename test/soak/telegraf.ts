import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuMsOf, start } from '../../bench/support/process.ts';
import { startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { until } from '../support/until.ts';

/** Telegraf on the PATH, which follows the same log, parses each record and sends it by OTLP. */
export interface Beside {
  /** CPU time so far, and records whose loss has arrived. */
  usage(): { readonly cpuMs: number; readonly records: number };
  /** Waits until it has sent so many records. */
  sent(records: number): Promise<unknown>;
  stop(): Promise<void>;
}

const parsers = {
  csv: 'data_format = "csv"\ncsv_header_row_count = 1\ncsv_timestamp_column = "timestamp"\ncsv_timestamp_format = "unix"',
  jsonl: 'data_format = "json"\njson_time_key = "timestamp"\njson_time_format = "unix"',
};

/** Its queue is as large as one burst, so that it loses none. */
const configOf = (file: string, source: keyof typeof parsers, endpoint: string) => `
[agent]
interval = "1s"
flush_interval = "1s"
metric_batch_size = 1000
metric_buffer_limit = 200000
omit_hostname = true
quiet = true
[[inputs.tail]]
files = ["${file}"]
initial_read_offset = "beginning"
max_undelivered_lines = 1000
name_override = "ml_training"
${parsers[source]}
[[outputs.opentelemetry]]
service_address = "${endpoint.replace('http://', '')}"
timeout = "60s"
`;

export async function startTelegraf(
  file: string,
  source: keyof typeof parsers,
  folder: string,
): Promise<Beside> {
  let records = 0;
  const receiver = await startReceiver({
    keep: 0,
    onRequest({ points }) {
      records += points.filter(({ metric }) => metric === 'ml_training_loss').length;
    },
  });
  const config = join(folder, 'telegraf.conf');
  writeFileSync(config, configOf(file, source, receiver.endpoint));
  const telegraf = start({
    command: 'telegraf',
    args: ['--non-strict-env-handling', '--config', config],
    environment: {},
  });
  return {
    usage: () => ({ cpuMs: cpuMsOf(telegraf.pid), records }),
    sent: (count) => until(() => records >= count, `${count} records of Telegraf`, 600_000),
    async stop() {
      await telegraf.stop();
      await receiver.stop();
    },
  };
}
