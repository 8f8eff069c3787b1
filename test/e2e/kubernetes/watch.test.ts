import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { injectDefaults } from '../../../src/kubernetes/options.ts';
import { until } from '../../support/until.ts';
import { forget } from './cluster.ts';
import { kubectl, repository } from './command.ts';
import { createNamespace, train } from './scripted.ts';

const namespace = 'ml-watch-test';
const name = 'watched';
const container = 'otel-metrics-bridge';

/** Writes a step every half a second, of many. */
const script = `
const fs = require('node:fs');
let step = 0;
setInterval(() => {
  const metrics = { global_step: ++step, total_steps: 100000, training_loss: 1 / step };
  const file = { job_metadata: { job_id: '${name}' }, training_metrics: metrics };
  fs.writeFileSync('/shared/metrics/next', JSON.stringify(file), { mode: 0o644 });
  fs.renameSync('/shared/metrics/next', '/shared/metrics/current.json');
}, 500);`;

/** Prints the memory limit of its container, the most that was used of it, and the commands that run, as JSON. */
const inspection = `
const { readdirSync, readFileSync } = require('node:fs');
const read = (file) => readFileSync(file, 'utf8');
const first = (...files) => {
  for (const file of files) try { return Number(read('/sys/fs/cgroup/' + file)); } catch {}
};
const processes = readdirSync('/proc').filter((id) => Number(id) > 0 && Number(id) !== process.pid);
const commands = processes.map((id) => read('/proc/' + id + '/cmdline').split('\\0').slice(1).join(' ').trim());
console.log(JSON.stringify({
  limit: first('memory.max', 'memory/memory.limit_in_bytes'),
  peak: first('memory.peak', 'memory/memory.max_usage_in_bytes'),
  watches: commands.filter((command) => command.includes('main.cjs watch')).length,
}));`;

interface Inspection {
  readonly limit: number;
  readonly peak: number;
  readonly watches: number;
}

let pod = '';
const inBridge = (...command: readonly string[]) =>
  kubectl('-n', namespace, 'exec', pod, '-c', container, '--', '/nodejs/bin/node', ...command);
const inspect = async () => JSON.parse(await inBridge('-e', inspection)) as Inspection;

beforeAll(async () => {
  await createNamespace(namespace);
  await train({ name, namespace, script });
  const select = ['-n', namespace, 'pod', '--selector', `job-name=${name}`] as const;
  await until(async () => (await kubectl('get', ...select, '-o', 'name')) !== '', 'the pod', 60_000);
  await kubectl('wait', ...select, '--for=condition=Ready', '--timeout=120s');
  pod = (await kubectl('get', ...select, '-o', 'jsonpath={.items[0].metadata.name}')).trim();
});
afterAll(() => forget('namespace', namespace));

/** `kubectl mlbridge watch` in the background. */
function startPlugin() {
  const child = spawn('k8s/kubectl-mlbridge', ['watch', pod, '-n', namespace], { cwd: repository });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const shows = (text: RegExp) => until(() => text.test(output), `${text}, of ${output}`, 30_000);
  return { shows, child };
}

/** What must hold whatever was run beside the bridge. */
async function expectUndisturbed(): Promise<void> {
  const status = `{.status.initContainerStatuses[?(@.name=="${container}")]}`;
  const bridge = JSON.parse(await kubectl('-n', namespace, 'get', 'pod', pod, '-o', `jsonpath=${status}`));
  expect(bridge).toMatchObject({ restartCount: 0, ready: true });
}

it('watch --once shows the run of a pod, within the memory limit that inject sets', async () => {
  const frame = await inBridge('/app/main.cjs', 'watch', '--once');
  expect(frame).toMatch(/ watched .*● running/);
  expect(frame).toMatch(/step \d+ of 100,000/);
  const { limit, peak } = await inspect();
  expect(injectDefaults.limits.memory).toBe('256Mi');
  expect(limit).toBe(256 * 1024 * 1024);
  expect(peak).toBeLessThan(limit / 2);
  await expectUndisturbed();
});

it('the plugin follows the run, two at a time, and nothing of it stays in the pod', async () => {
  const plugins = [startPlugin(), startPlugin()];
  for (const { shows } of plugins) await shows(/watched {2}global_step \d+ .*\n.*global_step \d+/);
  const { limit, peak, watches } = await inspect();
  expect(watches).toBe(2);
  expect(peak).toBeLessThan(limit / 2);
  for (const { child } of plugins) {
    // As when the connection is lost: kubectl tells nobody that it ends.
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  await until(async () => (await inspect()).watches === 0, 'the processes in the pod to end', 30_000);
  await expectUndisturbed();
});
