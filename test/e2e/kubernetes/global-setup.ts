import { run } from './command.ts';

const image = 'ml-metrics-bridge:latest';

const established = (kind: string) => ['--for=condition=Established', `crd/${kind}`];

const controllers = [
  { part: 'JobSet', wait: established('jobsets.jobset.x-k8s.io') },
  { part: 'Kubeflow Trainer', wait: established('trainjobs.trainer.kubeflow.org') },
  {
    part: 'Prometheus Operator, with a Prometheus',
    wait: ['--for=condition=Ready', '--namespace=monitoring', 'pod/prometheus-prometheus-0'],
  },
] as const;

/** Test files leave the stack for the next one. */
export const teardown = () =>
  run('kubectl', ['delete', '-k', 'k8s/', '--ignore-not-found', '--timeout=180s']);

/**
 * Needs a cluster that is free for tests, by KUBECONFIG, with the controllers of JobSet and Kubeflow Trainer, the
 * Prometheus Operator with a Prometheus named `prometheus` in the namespace `monitoring`, and Helm 3. The image is built and
 * brought to its nodes by the command in E2E_LOAD_IMAGE, which is run with the image's name; without it, by
 * `kind load docker-image`.
 */
export async function setup(): Promise<void> {
  if (!process.env.KUBECONFIG)
    throw new Error('KUBECONFIG is not set: these tests need a cluster to themselves');
  await run('kubectl', ['get', '--raw', '/readyz', '--request-timeout=10s']).catch((error) => {
    throw new Error(`no cluster answers by KUBECONFIG=${process.env.KUBECONFIG}: ${error.message}`);
  });
  for (const { part, wait } of controllers)
    await run('kubectl', ['wait', '--timeout=10s', ...wait]).catch((error) => {
      throw new Error(`${part} is not installed in the cluster (CONTRIBUTING.md): ${error.message}`);
    });
  await run('helm', ['version']).catch((error) => {
    throw new Error(`these tests need Helm 3 in PATH: ${error.message}`);
  });
  await run('docker', ['build', '--quiet', '--tag', image, '.']);
  const [program = '', ...args] = (process.env.E2E_LOAD_IMAGE ?? 'kind load docker-image').split(' ');
  await run(program, [...args, image]).catch((error) => {
    throw new Error(
      `the image cannot be brought to the cluster; E2E_LOAD_IMAGE says by what: ${error.message}`,
    );
  });
}
