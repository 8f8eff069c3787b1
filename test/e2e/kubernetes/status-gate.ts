import { until } from '../../support/until.ts';
import { kubectl } from './command.ts';

const inNamespace = ['-n', 'kubeflow-system'];
const configMap = 'kubeflow-trainer-config';
const key = 'controller_manager_config.yaml';
const deployment = 'kubeflow-trainer-controller-manager';
const controllers = ['-l', 'app.kubernetes.io/name=trainer', '--field-selector=status.phase=Running'];

const read = (...args: readonly string[]) => kubectl(...inNamespace, 'get', ...args);

/** Turns the feature gate TrainJobStatus of Kubeflow Trainer on or off, and says what it was before. It is off by default. */
export async function setStatusGate(wanted: 'on' | 'off'): Promise<'on' | 'off'> {
  const config = await read('configmap', configMap, '-o', `jsonpath={.data.${key.replace('.', '\\.')}}`);
  const before = /^ +TrainJobStatus: true$/m.test(config) ? 'on' : 'off';
  if (before === wanted) return before;
  const gate = `featureGates:\n  TrainJobStatus: ${wanted === 'on'}\n`;
  const changed = config.replace(/^featureGates:\n +TrainJobStatus: \w+\n?/m, '').trimEnd();
  const patch = JSON.stringify({ data: { [key]: `${changed}\n${gate}` } });
  await kubectl(...inNamespace, 'patch', 'configmap', configMap, '--patch', patch);
  await kubectl(...inNamespace, 'rollout', 'restart', `deployment/${deployment}`);
  await kubectl(...inNamespace, 'rollout', 'status', `deployment/${deployment}`, '--timeout=120s');
  await until(isLedByNewest, 'the new controller to lead', 90_000);
  return before;
}

/** The controller that is being replaced leads until it has ended. */
async function isLedByNewest(): Promise<boolean> {
  const pods = (await read('pod', ...controllers, '-o', 'jsonpath={.items[*].metadata.name}')).split(' ');
  const leader = await read('lease', 'trainer.kubeflow.org', '-o', 'jsonpath={.spec.holderIdentity}');
  return pods.length === 1 && leader.startsWith(`${pods[0]}_`);
}
