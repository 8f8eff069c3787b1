import { run } from './command.ts';

const image = 'ml-metrics-bridge:latest';

/**
 * Needs a cluster that is free for tests, by KUBECONFIG, with the controllers of JobSet and Kubeflow Trainer, and Helm 3.
 * The image is built and brought to its nodes by the command in
 * E2E_LOAD_IMAGE, which is run with the image's name; without it, by `kind load docker-image`.
 */
export async function setup(): Promise<void> {
  if (!process.env.KUBECONFIG)
    throw new Error('KUBECONFIG is not set: these tests need a cluster to themselves');
  await run('kubectl', ['get', '--raw', '/readyz', '--request-timeout=10s']).catch((error) => {
    throw new Error(`no cluster answers by KUBECONFIG=${process.env.KUBECONFIG}: ${error.message}`);
  });
  const kinds = ['jobsets.jobset.x-k8s.io', 'trainjobs.trainer.kubeflow.org'];
  await run('kubectl', ['wait', '--for=condition=Established', '--timeout=10s', 'crd', ...kinds]).catch(
    (error) => {
      throw new Error(
        `JobSet and Kubeflow Trainer are not installed in the cluster (CONTRIBUTING.md): ${error.message}`,
      );
    },
  );
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
