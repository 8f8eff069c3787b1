import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '../../support/port.ts';
import { until } from '../../support/until.ts';
import { kubectl, repository, run } from './command.ts';

export const namespace = 'ml-otel-demo';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Brings up the stack, or uses the one that a file before has left, and waits until all of it is there. Resolves to the
 * output of kubectl, with warnings.
 */
export async function startStack(
  folder = 'k8s/',
  deployments: readonly string[] = ['otel-collector', 'prometheus', 'jaeger'],
): Promise<string> {
  // Warnings, such as those of Pod Security, are on stderr.
  const said = await run('sh', ['-c', `kubectl apply -k ${folder} 2>&1`]);
  for (const name of deployments)
    await kubectl('-n', namespace, 'rollout', 'status', `deployment/${name}`, '--timeout=180s');
  return said;
}

/** Deletes what a name prefix and a kind select, and waits until it is gone. */
export const forget = (kind: string, name: string, where = namespace) =>
  kubectl('-n', where, 'delete', kind, name, '--ignore-not-found', '--wait=true', '--timeout=120s');

export interface Ended {
  readonly status: 'Complete' | 'Failed';
}

/** Waits until a Job is over, whichever way. */
export function jobEnded(name: string, timeoutMs: number, where = namespace): Promise<Ended> {
  return until(
    async () => {
      const conditions = JSON.parse(
        await kubectl('-n', where, 'get', 'job', name, '-o', 'jsonpath={.status.conditions}').then(
          (it) => it || '[]',
        ),
      ) as { type: string; status: string }[];
      const over = conditions.find(
        ({ type, status }) => status === 'True' && /^(Complete|Failed)$/.test(type),
      );
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return over && { status: over.type as Ended['status'] };
    },
    `Job ${name} to end`,
    timeoutMs,
  );
}

/** The last training_loss a simulated job has printed, in full. */
export async function lastLoss(job: string, where = namespace): Promise<number> {
  const log = await kubectl('-n', where, 'logs', `job/${job}`, '-c', 'trainer');
  const losses = [...log.matchAll(/: loss ([\d.]+),/g)];
  return Number(losses.at(-1)?.[1]);
}

/** Reaches a service of the stack by a port of this machine: that works whatever the NetworkPolicies are. */
export async function forwarded<T>(
  service: string,
  port: number,
  use: (address: string) => Promise<T>,
): Promise<T> {
  const local = await freePort();
  const forward = spawn(
    'kubectl',
    ['-n', namespace, 'port-forward', `service/${service}`, `${local}:${port}`],
    {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  try {
    await once(forward.stdout, 'data');
    return await use(`http://127.0.0.1:${local}`);
  } finally {
    forward.kill();
  }
}

/** Asks Prometheus. */
export function query(expression: string): Promise<readonly Sample[]> {
  return forwarded('prometheus', 9090, async (address) => {
    const url = `${address}/api/v1/query?${new URLSearchParams({ query: expression })}`;
    const { status, data } = (await (await fetch(url)).json()) as {
      status: string;
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    if (status !== 'success') throw new Error(`Prometheus refuses ${expression}`);
    return data.result.map(({ metric, value: [, text] }) => ({ labels: metric, value: Number(text) }));
  });
}

/** The last value Prometheus has seen of a job's series, also where the series has ended since. */
export async function lastValue(metric: string, jobId: string): Promise<number | undefined> {
  const samples = await query(`last_over_time(${metric}{job_id="${jobId}"}[15m])`);
  if (samples.length > 1) throw new Error(`${metric} of ${jobId} has ${samples.length} series`);
  return samples[0]?.value;
}
