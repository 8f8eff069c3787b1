import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type InjectOptions, injectDefaults } from '../../src/kubernetes/options.ts';

export const goldenFolder = fileURLToPath(new URL('../golden/inject/', import.meta.url));

const trace = {
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  tracestate: 'vendor=value',
};

/** Options of the goldens that are not made with the injectDefaults. */
const special: Readonly<Record<string, Partial<InjectOptions>>> = {
  'job-container': { mode: 'container' },
  'deployment-container': { mode: 'container' },
  'job-trace': { trace },
  'trainjob-trace': { trace },
  'trainjob-status': { trainJobStatus: true },
  'trainjob-status-trace': { trainJobStatus: true, trace },
  'job-several-containers': { container: 'trainer' },
  'job-other-volume': { volume: 'scratch' },
  'raycronjob-head': { rayNodes: 'head' },
  'job-bridge-of-before': {
    image: 'registry.example.com/bridge:2',
    endpoint: 'https://collector.example.com:4317',
    requests: { cpu: '20m', memory: '96Mi' },
    limits: { memory: '256Mi' },
    asked: new Set(['image', 'endpoint', 'requests', 'limits']),
  },
};

export interface Golden {
  readonly name: string;
  readonly input: string;
  readonly options: InjectOptions;
  readonly path: string;
}

/** Every `<name>.input.yaml` (or .json) with the options it is injected with and the file that holds the result. */
export const goldens: readonly Golden[] = readdirSync(goldenFolder)
  .filter((file) => /\.input\.(yaml|json)$/.test(file))
  .map((file) => {
    const name = file.replace(/\.input\..*$/, '');
    return {
      name,
      input: readFileSync(goldenFolder + file, 'utf8'),
      options: { ...injectDefaults, ...special[name] },
      path: goldenFolder + file.replace('.input.', '.golden.'),
    };
  });
