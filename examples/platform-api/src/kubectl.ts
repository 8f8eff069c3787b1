import { execFile } from 'node:child_process';

/** Creates a resource with kubectl, in the cluster of its configuration. */
export function kubectlCreate(manifest: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      'kubectl',
      ['create', '-f', '-'],
      { timeout: 30_000 },
      (error, _stdout, stderr) => {
        if (error === null) return resolve();
        const refusal = new Error(stderr.trim() || error.message);
        // The name becomes error.type in the trace.
        return reject(Object.assign(refusal, { name: 'KubectlError' }));
      },
    );
    // kubectl may exit before it has read everything; it prints the reason itself.
    child.stdin?.on('error', () => undefined).end(JSON.stringify(manifest));
  });
}
