import { run } from './command.ts';

const image = 'ml-metrics-bridge:latest';

/**
 * Needs a cluster that is free for tests, by KUBECONFIG. The image is built and brought to its nodes by the command in
 * E2E_LOAD_IMAGE, which is run with the image's name; without it, by `kind load docker-image`.
 */
export async function setup(): Promise<void> {
  if (!process.env.KUBECONFIG)
    throw new Error('KUBECONFIG is not set: these tests need a cluster to themselves');
  await run('kubectl', ['get', '--raw', '/readyz', '--request-timeout=10s']).catch((error) => {
    throw new Error(`no cluster answers by KUBECONFIG=${process.env.KUBECONFIG}: ${error.message}`);
  });
  await run('docker', ['build', '--quiet', '--tag', image, '.']);
  const [program = '', ...args] = (process.env.E2E_LOAD_IMAGE ?? 'kind load docker-image').split(' ');
  await run(program, [...args, image]).catch((error) => {
    throw new Error(
      `the image cannot be brought to the cluster; E2E_LOAD_IMAGE says by what: ${error.message}`,
    );
  });
}
