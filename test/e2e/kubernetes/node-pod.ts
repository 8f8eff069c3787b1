import { apply, kubectl } from './command.ts';

/** A pod with the rights of the cluster's only node, which tests act on the node through. */
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'ml-metrics-bridge-test-node', namespace: 'default' },
  spec: {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 1,
    hostPID: true,
    containers: [
      {
        name: 'node',
        image: 'ml-metrics-bridge:latest',
        imagePullPolicy: 'IfNotPresent',
        securityContext: { runAsUser: 0, privileged: true },
        command: ['/nodejs/bin/node', '-e', 'setInterval(() => {}, 1e9)'],
        volumeMounts: [{ name: 'node', mountPath: '/var/lib' }],
      },
    ],
    volumes: [{ name: 'node', hostPath: { path: '/var/lib' } }],
  },
};

const { name, namespace } = pod.metadata;

export async function startNodePod(): Promise<void> {
  await stopNodePod();
  await apply(JSON.stringify(pod));
  await kubectl('-n', namespace, 'wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s');
}

export const stopNodePod = () => kubectl('-n', namespace, 'delete', 'pod', name, '--ignore-not-found');

/** Runs a script of Node on the node and gives what it printed. */
export const onNode = (script: string) =>
  kubectl('-n', namespace, 'exec', name, '--', '/nodejs/bin/node', '-e', script);

/** SIGKILL for the only container of a pod, as the kernel sends it where memory runs out. */
export async function killOnNode(podName: string): Promise<void> {
  const killed = await onNode(`
    const read = (path) => { try { return fs.readFileSync(path, 'utf8'); } catch { return ''; } };
    const isOfPod = (id) =>
      read('/proc/' + id + '/root/etc/hostname').trim() === '${podName}' && !read('/proc/' + id + '/cmdline').startsWith('/pause');
    const ids = fs.readdirSync('/proc').filter((id) => Number(id) > 0 && isOfPod(id));
    for (const id of ids) process.kill(Number(id), 'SIGKILL');
    console.log(ids.length);`);
  if (Number(killed) < 1) throw new Error(`no process of ${podName} on the node`);
}
