import { beforeAll, describe, expect, it } from 'vitest';
import { docker, dockerOutput, repository } from './docker.ts';

const image = 'ml-metrics-bridge:latest';
/** As the bridge runs in docker-compose.yaml. */
const hardened = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges:true'];

beforeAll(async () => {
  await docker(['compose', '-f', `${repository}/docker-compose.yaml`, 'build', 'otel-metrics-bridge']);
});

describe('the image', () => {
  it('runs as a user that is not root, and says what it is', async () => {
    const [{ Config }] = JSON.parse(await docker(['image', 'inspect', image]));
    expect(Config.User).toBe('65532:65532');
    expect(Config.Entrypoint).toEqual([
      '/nodejs/bin/node',
      '--lite-mode',
      '--no-lazy-feedback-allocation',
      '--min-semi-space-size=1',
      '--single-threaded-gc',
      '/app/main.cjs',
    ]);
    expect(Config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'ml-metrics-bridge',
      'org.opencontainers.image.licenses': 'Apache-2.0',
    });
  });

  it('takes the compiled code it was built with, under a read-only root file system', async () => {
    // Ends itself after one poll of a file that is not there.
    const settings = {
      SIDECAR_MODE: 'container',
      EXIT_AFTER_STALE: '1',
      COLLECTION_INTERVAL: '1',
      SHUTDOWN_TIMEOUT: '1',
    };
    const environment = Object.entries({ ...settings, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }).flatMap(
      ([name, value]) => ['-e', `${name}=${value}`],
    );
    const output = await dockerOutput(['run', '--rm', ...hardened, ...environment, image]);
    for (const file of ['main', 'run-[\\w-]{8}'])
      expect(output).toMatch(new RegExp(`code cache for CommonJS /app/${file}\\.cjs was accepted`));
  });

  it('holds a bill of its materials', async () => {
    const show = "console.log(require('/app/sbom.cdx.json').components.map(({ name }) => name).join(' '))";
    const names = await docker(['run', '--rm', '--entrypoint', '/nodejs/bin/node', image, '-e', show]);
    expect(names.trim().split(' ')).toEqual(expect.arrayContaining(['@grpc/grpc-js', 'pino', 'zod']));
  });

  it('has no shell', async () => {
    await expect(docker(['run', '--rm', '--entrypoint', '/bin/sh', image, '-c', 'true'])).rejects.toThrow(
      /no such file|not found/,
    );
  });

  it('holds the bundle and nothing of node_modules', async () => {
    const list = "fs.readdirSync('/app').sort().join()";
    const files = await docker(['run', '--rm', '--entrypoint', '/nodejs/bin/node', image, '-p', list]);
    expect(files.trim().split(',')).toEqual(expect.arrayContaining(['LICENSE', 'compile-cache', 'main.cjs']));
    expect(files).not.toContain('node_modules');
  });
});
