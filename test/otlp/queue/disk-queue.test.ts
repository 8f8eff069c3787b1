import { readdirSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import type { BridgeSummary } from '../../../src/bridge/bridge.ts';
import { type Receiver, startReceiver } from '../../../src/commands/demo/receiver/receiver.ts';
import { systemClock } from '../../../src/common/clock.ts';
import { deferred, pause } from '../../../src/common/timing.ts';
import type { ExportRequest } from '../../../src/otlp/export-request.ts';
import { createDiskQueue } from '../../../src/otlp/queue/disk-queue.ts';
import type { Encoding } from '../../../src/otlp/queue/encoding.ts';
import type { Lease } from '../../../src/otlp/queue/lease.ts';
import { createMemoryQueue } from '../../../src/otlp/queue/memory-queue.ts';
import { createQueue, type Queue } from '../../../src/otlp/queue/queue.ts';
import { createQueueFolder, type QueueFolder } from '../../../src/otlp/queue/queue-folder.ts';
import { startBridge } from '../../support/bridge.ts';
import { temporaryFolder } from '../../support/file.ts';
import { until } from '../../support/until.ts';

const soon = { OTEL_METRIC_EXPORT_INTERVAL: '50' };
const away = () => ({ status: 'error', code: status.UNAVAILABLE }) as const;
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** Each loss once, in the order they came; heartbeats repeat the last. */
const losses = (receiver: Receiver) => [
  ...new Set(receiver.points('ml.training.loss').map(({ value }) => value)),
];
const dropped = (receiver: Receiver, reason: string) =>
  receiver.points('ml.bridge.dropped').findLast(({ attributes }) => attributes.reason === reason)?.value;
const filesUnder = (root: string) =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.otlp'))
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted();

/** A bridge without a Collector that has read losses 1, 2, 3 and so on. */
async function duringOutage(count: number, root: string, options: Parameters<typeof startBridge>[0] = {}) {
  const bridge = await startBridge({
    ...options,
    environment: { ...soon, EXPORT_QUEUE_DIR: root, SHUTDOWN_TIMEOUT: '0.3', ...options.environment },
  });
  bridge.receiver.reply(away);
  for (const loss of upTo(count)) await bridge.write({ metrics: { training_loss: loss } });
  return bridge;
}

/** Stops a bridge, and waits until all its files are there: on a busy machine the last is written after its deadline. */
async function stopWithFiles(stop: () => Promise<BridgeSummary>, folder: string) {
  const { undelivered } = await stop();
  expect(undelivered).toBeGreaterThan(0);
  await until(() => filesUnder(folder).length === undelivered, `${undelivered} files in the folder`);
}

describe('an outage that memory does not last for', () => {
  it('loses nothing that fits the folder, and leaves nothing there', async () => {
    const root = temporaryFolder();
    const { receiver } = await duringOutage(30, root, { environment: { EXPORT_QUEUE_SIZE: '3' } });
    await until(() => filesUnder(root).length === 30, 'all in the folder');
    receiver.reply(() => ({ status: 'ok' }));
    await receiver.waitFor(() => losses(receiver).length === 30, 'all of them');
    expect(losses(receiver)).toEqual(upTo(30));
    await until(() => filesUnder(root).length === 0, 'an empty folder');
    expect(dropped(receiver, 'queue_full')).toBe(0);
    expect(dropped(receiver, 'queue_dir_full')).toBe(0);
  });

  it('drops the oldest where the folder is full, counts them and says so once', async () => {
    const root = temporaryFolder();
    const { receiver, log } = await duringOutage(30, root, {
      config: { exportQueueDirBytes: 40_000, exportQueueSize: 2 },
    });
    // The bridge may remove a file between the listing and its stat.
    const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    const bytes = () => filesUnder(root).reduce((sum, file) => sum + sizeOf(file), 0);
    await until(() => bytes() > 30_000 && bytes() <= 41_000, 'the folder to be full and no more');
    receiver.reply(() => ({ status: 'ok' }));
    await receiver.waitFor(() => losses(receiver).includes(30), 'the last');
    const kept = losses(receiver).length;
    // Which go is not to be said to the last: what is under way stays, and something newer goes in its place.
    expect(kept).toBeLessThan(30);
    expect(losses(receiver)).toEqual(losses(receiver).toSorted((a, b) => Number(a) - Number(b)));
    // One that the folder has let go of while it was in memory is lost to memory's limit.
    const counted = () => (dropped(receiver, 'queue_dir_full') ?? 0) + (dropped(receiver, 'queue_full') ?? 0);
    await receiver.waitFor(() => counted() === 30 - kept, 'the others counted');
    expect(
      log.filter(({ message }) => message.startsWith('Folder of the export queue has reached its limit')),
    ).toHaveLength(1);
  });
});

describe('what a bridge leaves in the folder', () => {
  it('is sent by its successor, but for what is not whole, which is counted', async () => {
    const root = temporaryFolder();
    const first = await duringOutage(6, root);
    // The seventh is the last word.
    await stopWithFiles(first.stop, root);
    const files = filesUnder(root);
    truncateSync(files[1] ?? '', 100);
    writeFileSync(files[3] ?? '', 'something else');
    const receiver = await startReceiver();
    const { log } = await startBridge({
      receiver,
      file: first.file,
      environment: { ...soon, EXPORT_QUEUE_DIR: root },
    });
    await receiver.waitFor(() => dropped(receiver, 'queue_dir_failed') === 2, 'two counted');
    await receiver.waitFor(() => losses(receiver).length === 4, 'the others');
    expect(losses(receiver)).toEqual([1, 3, 5, 6]);
    expect(log).toContainEqual(
      expect.objectContaining({
        level: 'info',
        path: root,
        count: 7,
        message: expect.stringMatching(/earlier/),
      }),
    );
    expect(log.filter(({ message }) => message.includes('are incomplete'))).toMatchObject([
      { level: 'error' },
    ]);
  });

  it('keeps the identity of the bridge that read it', async () => {
    const root = temporaryFolder();
    const longAgo = new Date(Date.now() - 11 * 60_000);
    for (const name of ['gone', 'lost']) {
      const { stop } = await duringOutage(2, root, {
        environment: { OTEL_RESOURCE_ATTRIBUTES: `service.instance.id=${name}` },
      });
      await stopWithFiles(stop, join(root, `bridge-${name}`));
    }
    for (const name of ['gone', 'lost']) utimesSync(join(root, `bridge-${name}`), longAgo, longAgo);
    const { receiver, write } = await startBridge({
      environment: {
        ...soon,
        EXPORT_QUEUE_DIR: root,
        OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=successor',
      },
    });
    await write({ metrics: { training_loss: 3 } });
    const instances = () => {
      const points = receiver.points('ml.training.loss');
      return new Set(points.map(({ value, resource }) => `${value} ${resource['service.instance.id']}`));
    };
    await receiver.waitFor(() => instances().size === 5, 'all of them');
    expect([...instances()].toSorted()).toEqual(['1 gone', '1 lost', '2 gone', '2 lost', '3 successor']);
  });

  it.each([
    ['running', {}, 'ended'],
    ['stalled', { stallAfterMs: 1 }, 'ended'],
    ['completed', {}, 'completed'],
  ] as const)(
    'never shows the run of a bridge that is gone as going on: %s',
    async (state, config, shown) => {
      const root = temporaryFolder();
      const { write, stop } = await duringOutage(2, root, {
        config,
        environment: { OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=gone' },
      });
      if (state === 'completed') await write({ top: { status: state } });
      await stopWithFiles(stop, root);
      // As after a SIGKILL, the bridge's last snapshot, which says how the run ended, is not there.
      if (state !== 'completed') rmSync(filesUnder(root).at(-1) ?? '');
      const longAgo = new Date(Date.now() - 11 * 60_000);
      utimesSync(join(root, 'bridge-gone'), longAgo, longAgo);
      const { receiver } = await startBridge({
        environment: { ...soon, EXPORT_QUEUE_DIR: root, OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=new' },
      });
      const points = (metric: string) =>
        receiver.points(metric).filter(({ resource }) => resource['service.instance.id'] === 'gone');
      await receiver.waitFor(() => points('ml.training.loss').length >= 2, 'both snapshots');
      await until(() => filesUnder(root).length === 0, 'an empty folder');
      const states = points('ml.training.run.state').filter(({ value }) => value === 1);
      expect(states.at(-1)?.attributes.state).toBe(shown);
      expect(states.filter(({ attributes }) => /running|stalled/.test(String(attributes.state)))).toEqual([]);
    },
  );

  it('is lost where an older version has written it, which is counted and said once', async () => {
    const root = temporaryFolder();
    const folder = createQueueFolder(root, 'one');
    await folder.open();
    // Until 0.1 a file held a serialized request: here one without a point.
    for (let file = 0; file < 3; file++) await folder.write(folder.newName(), Buffer.from([0x0a, 0x00]));
    const { receiver, log, write } = await startBridge({
      environment: { ...soon, EXPORT_QUEUE_DIR: root, OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=one' },
    });
    await write({ metrics: { training_loss: 1 } });
    await receiver.waitFor(() => dropped(receiver, 'queue_dir_failed') === 3, 'three counted');
    expect(log.filter(({ message }) => message.includes('are incomplete'))).toMatchObject([
      { level: 'error' },
    ]);
    await until(() => filesUnder(root).length === 0, 'an empty folder');
  });

  it('stays there as long as its bridge runs, also if no snapshot is new', async () => {
    const root = temporaryFolder();
    await duringOutage(2, root, { environment: { OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=one' } });
    await until(() => filesUnder(root).length === 2, 'both in the folder');
    const folder = join(root, 'bridge-one');
    const longAgo = new Date(Date.now() - 11 * 60_000);
    utimesSync(folder, longAgo, longAgo);
    await until(() => statSync(folder).mtimeMs > longAgo.getTime() + 600_000, 'a sign of life');
    await createQueueFolder(root, 'other').open();
    expect(filesUnder(folder)).toHaveLength(2);
  });

  it('is not mixed with what another bridge leaves on the same volume', async () => {
    const root = temporaryFolder();
    const bridges = await Promise.all(
      ['one', 'two'].map((job) =>
        duringOutage(5, root, { environment: { OTEL_RESOURCE_ATTRIBUTES: `service.instance.id=${job}` } }),
      ),
    );
    for (const [index, { receiver, write }] of bridges.entries()) {
      await write({ metrics: { training_loss: 100 + index } });
      receiver.reply(() => ({ status: 'ok' }));
    }
    for (const [index, { receiver }] of bridges.entries()) {
      await receiver.waitFor(() => losses(receiver).length === 6, 'all of them');
      expect(losses(receiver)).toEqual([...upTo(5), 100 + index]);
    }
    await until(() => filesUnder(root).length === 0, 'an empty folder');
  });
});

describe('a folder that cannot be written', () => {
  it('is one warning, and memory does what it can', async () => {
    const root = join(temporaryFolder(), 'file', 'folder');
    writeFileSync(join(root, '..'), '');
    const { receiver, log } = await duringOutage(5, root);
    receiver.reply(() => ({ status: 'ok' }));
    await receiver.waitFor(() => losses(receiver).length === 5, 'all of them');
    expect(losses(receiver)).toEqual(upTo(5));
    expect(
      log.filter(({ message }) => message.startsWith('Folder of the export queue cannot')),
    ).toMatchObject([{ level: 'warn', path: root, reason: 'ENOTDIR' }]);
  });
});

interface Disk {
  readonly write?: (
    name: string,
    request: Uint8Array,
    write: (name: string, request: Uint8Array) => void,
  ) => Promise<void>;
  readonly read?: (name: string, request: Uint8Array | undefined) => Promise<Uint8Array | undefined>;
}

type NumberRequest = ExportRequest<number>;
const numbers: Encoding<NumberRequest> = {
  encode: ({ data }) => Buffer.from(`${data}`),
  decode: (bytes) => ({ kind: 'snapshot', data: Number(Buffer.from(bytes)), bytes: bytes.length }),
};

/** Requests of a number, and a folder in memory that does what is asked of it here. */
function setUp({ write, read }: Disk, maxBytes = 1_000) {
  const written = new Map<string, Uint8Array>();
  const events: string[] = [];
  let names = 0;
  const put = (name: string, request: Uint8Array) => void written.set(name, request);
  const folder: QueueFolder = {
    open: async () => [],
    newName: () => String(++names).padStart(3, '0'),
    write: async (name, request) => (write === undefined ? put(name, request) : write(name, request, put)),
    read: async (name) => (read === undefined ? written.get(name) : read(name, written.get(name))),
    remove: async (name) => void written.delete(name),
    touch: async () => undefined,
  };
  const disk = createDiskQueue({
    folder,
    encoding: numbers,
    asEnded: (request) => request,
    maxBytes,
    onFound: (count) => events.push(`found ${count}`),
    onLost: (reason) => events.push(reason),
    onWritten: (error) => error && events.push(error.code ?? error.message),
  });
  const queue = createQueue<NumberRequest>({
    memory: createMemoryQueue({ requests: 3, bytes: 1_000_000 }),
    disk,
    onOverflow: (drops) => events.push(...drops.map(({ reason }) => reason)),
  });
  const push = (data: number) => queue.push({ kind: 'snapshot', data, bytes: `${data}`.length });
  return { written, events, queue, push };
}

const values = ({ requests }: Lease<NumberRequest>) => requests.map(({ data }) => data);

describe('the limit of the folder', () => {
  /** Requests of one byte, in a real folder, of which memory holds three. */
  async function inFolder(root: string, maxBytes: number) {
    const events: string[] = [];
    const disk = createDiskQueue({
      folder: createQueueFolder(root, 'one'),
      encoding: numbers,
      asEnded: (request) => request,
      maxBytes,
      onFound: (count) => events.push(`found ${count}`),
      onLost: (reason) => events.push(reason),
      onWritten: (error) => error && events.push(error.message),
    });
    const queue = createQueue<NumberRequest>({
      memory: createMemoryQueue({ requests: 3, bytes: 1_000_000 }),
      disk,
      onOverflow: (drops) => events.push(...drops.map(({ reason }) => reason)),
    });
    const push = (data: number) => queue.push({ kind: 'snapshot', data, bytes: 1 });
    await queue.flushed();
    return { queue, push, events };
  }
  const left = async ({ queue }: { readonly queue: Queue<NumberRequest> }) => {
    const [older, newer] = [await queue.lease('oldest'), await queue.lease('oldest')];
    return [...values(older), ...values(newer)];
  };

  it('takes the oldest', async () => {
    const root = temporaryFolder();
    const one = await inFolder(root, 6);
    for (const value of upTo(9)) one.push(value);
    await one.queue.flushed();
    expect(filesUnder(root)).toHaveLength(6);
    expect(one.events).toEqual(Array(3).fill('queue_dir_full'));
    expect(await left(one)).toEqual([4, 5, 6, 7, 8, 9]);
  });

  it('holds for what an earlier bridge left, too', async () => {
    const root = temporaryFolder();
    const first = await inFolder(root, 1_000);
    for (const value of upTo(6)) first.push(value);
    await first.queue.flushed();
    const second = await inFolder(root, 4);
    await second.queue.flushed();
    expect(second.events).toEqual(['found 6', 'queue_dir_full', 'queue_dir_full']);
    expect(filesUnder(root)).toHaveLength(4);
    second.push(7);
    await second.queue.flushed();
    expect(second.events.slice(3)).toEqual(['queue_dir_full']);
    expect(await left(second)).toEqual([4, 5, 6, 7]);
  });

  it('has room again for as much as was delivered', async () => {
    const root = temporaryFolder();
    const one = await inFolder(root, 6);
    for (const value of upTo(6)) one.push(value);
    const oldest = await one.queue.lease('oldest');
    oldest.ack(oldest.requests);
    for (const value of [7, 8, 9]) one.push(value);
    await one.queue.flushed();
    expect(one.events).toEqual([]);
    expect(filesUnder(root)).toHaveLength(6);
    expect(await left(one)).toEqual([4, 5, 6, 7, 8, 9]);
  });
});

describe('the queue', () => {
  it('leases what is on the disk before what is in memory, and at the end memory first', async () => {
    const { queue, push, written } = setUp({});
    for (const value of upTo(7)) push(value);
    const oldest = await queue.lease('oldest');
    expect(values(oldest)).toEqual([1, 2, 3, 4]);
    oldest.nack();
    const newest = await queue.lease('newest');
    expect(values(newest)).toEqual([5, 6, 7]);
    newest.ack(newest.requests);
    const rest = await queue.lease('newest');
    expect(values(rest)).toEqual([1, 2, 3, 4]);
    rest.ack(rest.requests);
    expect(queue.size).toBe(0);
    await queue.flushed();
    expect(written.size).toBe(0);
  });

  it('does not read what is not written yet, and loses none of it', async () => {
    const gate = deferred<void>();
    const { queue, push, events } = setUp({
      write: async (name, request, write) => {
        if (name > '004') await gate.promise;
        write(name, request);
      },
    });
    for (const value of upTo(4)) push(value);
    await queue.flushed();
    const leasing = queue.lease('oldest');
    // Come in while that waits for the disk, and push 2 to 5 out of memory.
    for (const value of [5, 6, 7, 8]) push(value);
    const first = await leasing;
    expect(values(first)).toEqual([1, 2, 3, 4]);
    first.ack(first.requests);
    gate.resolve();
    const second = await queue.lease('oldest');
    expect(values(second)).toEqual([5]);
    second.ack(second.requests);
    expect(values(await queue.lease('oldest'))).toEqual([6, 7, 8]);
    expect(events).toEqual([]);
  });

  it('leases what a slow volume gives in a second, and the rest afterwards', async () => {
    const { queue, push } = setUp({
      read: async (_name, request) => {
        await pause(600);
        return request;
      },
    });
    for (const value of upTo(9)) push(value);
    const first = await queue.lease('oldest');
    const count = first.requests.length;
    expect(count).toBeLessThan(6);
    expect(values(first)).toEqual(upTo(count));
    first.ack(first.requests);
    expect(values(await queue.lease('oldest'))[0]).toBe(count + 1);
  });

  it('does not push out what is being read, and count it as lost', async () => {
    const gate = deferred<void>();
    let reading = 0;
    const { queue, push, events } = setUp(
      {
        read: async (_name, request) => {
          reading += 1;
          await gate.promise;
          return request;
        },
      },
      6,
    );
    for (const value of upTo(6)) push(value);
    const leasing = queue.lease('oldest');
    await until(() => reading === 1, 'the reading');
    push(7);
    gate.resolve();
    expect(values(await leasing)).toEqual([1, 2, 3]);
    // The fourth, for which there is room nowhere.
    expect(events).toEqual(['queue_full']);
  });

  it('loses what memory has no room for where the volume is full, and says which', async () => {
    const full = Object.assign(new Error('full'), { code: 'ENOSPC' });
    const { queue, push, events } = setUp({ write: () => Promise.reject(full) });
    for (const value of upTo(3)) push(value);
    await queue.flushed();
    for (const value of [4, 5]) push(value);
    await queue.flushed();
    expect(values(await queue.lease('oldest'))).toEqual([3, 4, 5]);
    expect(events.filter((event) => event === 'ENOSPC')).toHaveLength(5);
    expect(events.filter((event) => event === 'queue_full')).toHaveLength(2);
  });

  it('counts as lost what left memory before its writing failed', async () => {
    const full = Object.assign(new Error('full'), { code: 'ENOSPC' });
    const { queue, push, events } = setUp({ write: () => Promise.reject(full) });
    for (const value of upTo(5)) push(value);
    await queue.flushed();
    expect(values(await queue.lease('oldest'))).toEqual([3, 4, 5]);
    expect(events.filter((event) => event === 'queue_dir_failed')).toHaveLength(2);
  });

  it('goes on in memory while the volume hangs, and holds no more for it than it may', {
    timeout: 20_000,
  }, async () => {
    let writes = 0;
    const { queue, push, events } = setUp(
      {
        write: () => {
          writes += 1;
          return new Promise(() => undefined);
        },
      },
      1_000_000,
    );
    for (const value of upTo(100)) push(value);
    const started = systemClock().monotonicMs;
    expect(values(await queue.lease('oldest'))).toEqual([98, 99, 100]);
    expect(systemClock().monotonicMs - started).toBeLessThan(15_000);
    expect(writes).toBe(1);
    // Those that were not handed over to the volume are lost to it, and said to be.
    expect(events.filter((event) => event === 'queue_full')).toHaveLength(100 - 64 - 3);
    expect(events).not.toContain('queue_dir_failed');
    await until(() => events.includes('it has not answered for 5 s'), 'the report');
  });

  it('waits for a volume that hangs once, and again only when the call has returned', {
    timeout: 20_000,
  }, async () => {
    const call = deferred<void>();
    const { queue, push } = setUp({
      async read(_name, request) {
        await call.promise;
        return request;
      },
    });
    for (const value of upTo(5)) push(value);
    await queue.flushed();
    const lease = async () => {
      const startMs = systemClock().monotonicMs;
      const leased = await queue.lease('oldest');
      leased.nack();
      return { values: values(leased), ms: systemClock().monotonicMs - startMs };
    };
    expect(await lease()).toEqual({ values: [3, 4, 5], ms: expect.any(Number) });
    for (const { values: inMemory, ms } of [await lease(), await lease()]) {
      expect(inMemory).toEqual([3, 4, 5]);
      expect(ms).toBeLessThan(1_000);
    }
    call.resolve();
    expect(
      (await until(async () => (await lease()).values.includes(1) && lease(), 'the disk')).values,
    ).toEqual([1, 2]);
  });

  it('leases what is on disk before what is in memory, though it became the oldest while another was written', async () => {
    const gates = new Map(['001', '005'].map((name) => [name, deferred<void>()]));
    const { written, queue, push, events } = setUp(
      {
        async write(name, request, put) {
          await gates.get(name)?.promise;
          put(name, request);
        },
      },
      4,
    );
    for (const value of upTo(4)) push(value);
    const lease = queue.lease('oldest');
    for (const value of [5, 6, 7, 8]) push(value);
    gates.get('001')?.resolve();
    await until(() => written.has('004'), 'the writes before the lease');
    gates.get('005')?.resolve();
    expect(values(await lease)).toEqual([5]);
    expect(events).toEqual(Array(4).fill('queue_dir_full'));
  });

  it('removes from the disk what is acknowledged, and leases the rest again', async () => {
    const { queue, push, written } = setUp({});
    for (const value of upTo(6)) push(value);
    const lease = await queue.lease('oldest');
    expect(values(lease)).toEqual([1, 2, 3]);
    lease.ack(lease.requests.slice(0, 2));
    lease.nack();
    expect(values(await queue.lease('oldest'))).toEqual([3]);
    await queue.flushed();
    expect(written.size).toBe(4);
  });
});
