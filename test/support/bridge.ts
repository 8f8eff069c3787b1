import { join } from 'node:path';
import { Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { type BridgeSummary, runBridge } from '../../src/bridge/bridge.ts';
import { type Receiver, startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { type Clock, systemClock } from '../../src/common/clock.ts';
import type { Random } from '../../src/common/jitter.ts';
import { createLogger } from '../../src/common/logger.ts';
import type { Config } from '../../src/config/bridge.ts';
import type { Poll } from '../../src/snapshot/source.ts';
import { configOf, exportMinInterval } from './config.ts';
import { exampleText, type FileOverrides, replaceFile, temporaryFolder } from './file.ts';
import { until } from './until.ts';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [key: string]: unknown;
}

export interface TestBridge {
  readonly receiver: Receiver;
  readonly file: string;
  readonly log: readonly LogLine[];
  readonly polls: readonly Poll[];
  /** Replaces the file and waits until the bridge has read it. */
  write(content: string | Uint8Array | FileOverrides): Promise<void>;
  /** Waits until the bridge has polled the file that many more times. */
  polled(times: number): Promise<void>;
  /** Waits until a poll had this outcome. */
  outcome(status: Poll['outcome']['status']): Promise<Poll>;
  stop(): Promise<BridgeSummary>;
  /** Settles when the bridge ends by itself. */
  readonly ended: Promise<BridgeSummary>;
}

export interface TestBridgeOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Replaces what the environment cannot say, such as intervals of a millisecond. */
  readonly config?: Partial<Config>;
  readonly receiver?: Receiver;
  readonly file?: string;
  readonly clock?: Clock;
  /** By default, retries are as soon as they can be, and nothing else is spread. */
  readonly random?: Random;
  /** Called at each poll, after it is noted. */
  readonly onPoll?: (poll: Poll) => void;
}

/** The bridge in this process, against a receiver in this process, ended when the test ends. */
export async function startBridge(options: TestBridgeOptions = {}): Promise<TestBridge> {
  const receiver = options.receiver ?? (await startReceiver());
  const file = options.file ?? join(temporaryFolder(), 'current.json');
  const log: LogLine[] = [];
  const polls: Poll[] = [];
  const controller = new AbortController();
  const config = {
    ...configOf({
      METRICS_FILE_PATH: file,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      LOG_LEVEL: 'debug',
      SHUTDOWN_TIMEOUT: '5',
      EXPORT_MIN_INTERVAL: exportMinInterval,
      ...options.environment,
    }),
    collectionIntervalMs: 2,
    ...options.config,
  };
  const ended = runBridge({
    config,
    log: createLogger(config.logLevel, linesInto(log)),
    clock: options.clock ?? systemClock,
    random: options.random ?? (() => 0),
    signal: controller.signal,
    hostName: 'test-host',
    version: '0.0.0',
    onPoll: (poll) => {
      polls.push(poll);
      options.onPoll?.(poll);
    },
  });
  const stop = () => {
    controller.abort();
    return ended;
  };
  onTestFinished(async () => {
    await stop().catch(() => undefined);
    await receiver.stop();
  });
  const read = () => polls.filter(({ outcome }) => outcome.status === 'ok').length;
  return {
    receiver,
    file,
    log,
    polls,
    async write(content) {
      const before = read();
      const isText = typeof content === 'string' || content instanceof Uint8Array;
      replaceFile(file, isText ? content : exampleText(content));
      await until(() => read() > before, 'the bridge to read the file');
    },
    async polled(times) {
      const target = polls.length + times;
      await until(() => polls.length >= target, `${times} polls`);
    },
    outcome: (status) =>
      until(() => polls.find((poll) => poll.outcome.status === status), `outcome ${status}`),
    stop,
    ended,
  };
}

export function linesInto(lines: LogLine[]): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      for (const line of String(chunk).split('\n')) if (line !== '') lines.push(JSON.parse(line));
      done();
    },
  });
}
