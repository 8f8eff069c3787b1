import { submit } from '../../commands/submit/kubectl.ts';
import { forwarded } from './cluster.ts';

const environmentOf = (...names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, process.env[name] ?? '']));

// Without a home kubectl keeps its cache in the folder it is called in.
const realKubectl = environmentOf('PATH', 'KUBECONFIG', 'HOME');

/** `submit` that sends to the Collector of the cluster. */
export const submitted = (manifest: string, environment = realKubectl) =>
  forwarded('otel-collector', 4317, (endpoint) =>
    submit({
      args: ['--model', 'resnet-50'],
      input: manifest,
      environment: { ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
    }),
  );
