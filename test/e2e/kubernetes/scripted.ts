import { parse } from 'yaml';
import { forget } from './cluster.ts';
import { apply } from './command.ts';
import { inject } from './inject.ts';
import { resource, templateOf } from './training.ts';

/** A namespace of its own, without a Collector, that is as strict as the one of the stack. */
export async function createNamespace(name: string): Promise<void> {
  await forget('namespace', name);
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }));
}

/** A pod template whose only container runs this script by node. */
export function scripted(name: string, script: string) {
  const { spec } = templateOf(name);
  const containers = spec.containers.map(({ args: _args, env: _env, ...container }) => ({
    ...container,
    command: ['/nodejs/bin/node', '-e', script],
  }));
  return { spec: { ...spec, containers } };
}

interface Script {
  readonly name: string;
  readonly namespace: string;
  readonly script: string;
}

/** Runs a server that listens on port 8080, as a pod and a Service. */
export async function serve({ name, namespace, script }: Script): Promise<void> {
  const metadata = { name, namespace, labels: { app: name } };
  const spec = { selector: { app: name }, ports: [{ port: 8080 }] };
  await apply(JSON.stringify({ ...resource('v1', 'Pod', name, scripted(name, script).spec), metadata }));
  await apply(JSON.stringify({ ...resource('v1', 'Service', name, spec), metadata }));
}

/** Runs a Job that trains by a script, with the bridge beside it and these variables in the bridge's environment. */
export async function train({ name, namespace, script }: Script, variables: readonly object[] = []) {
  const job = resource('batch/v1', 'Job', name, { backoffLimit: 0, template: scripted(name, script) });
  const metadata = { name, namespace };
  const manifest = parse(await inject(JSON.stringify({ ...job, metadata })));
  const [bridge] = manifest.spec.template.spec.initContainers;
  bridge.env.push(...variables);
  await apply(JSON.stringify(manifest));
}
