import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, parseDocument } from 'yaml';
import { freePort } from '../support/port.ts';
import { answers, type Program, startProgram } from './program.ts';

export interface Prometheus extends Program {
  readonly url: string;
}

export interface PrometheusOptions {
  /** A configuration of the repository's own. */
  readonly config: string;
  readonly args?: readonly string[];
  /** Host and port of each Collector that is scraped, for a configuration that does. */
  readonly targets?: readonly string[];
  readonly scrapeInterval?: string;
  /** Files of rules; those of the repository by default. */
  readonly rules?: readonly string[];
}

const shippedRules = [join(process.cwd(), 'prometheus/rules/*.yaml')];

/** Prometheus on a free port, with the alert rules of the repository: PROMETHEUS, or the one on the PATH. */
export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-prometheus-'));
  const file = join(folder, 'prometheus.yml');
  writeFileSync(file, configuration(options));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const program = await startProgram({
    program: process.env.PROMETHEUS || 'prometheus',
    args: [
      `--config.file=${file}`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
      ...(options.args ?? []),
    ],
    isReady: () => answers(`${url}/-/ready`),
  });
  return {
    ...program,
    url,
    stop: async () => {
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As `k8s/overlays/large` has it: Collectors push to it, and nothing is scraped. */
export function startPushedPrometheus(
  more: Pick<PrometheusOptions, 'args' | 'rules'> = {},
): Promise<Prometheus> {
  const config = (name: string) => `k8s/overlays/large/${name}`;
  const deployment = parse(readFileSync(config('prometheus-patch.yaml'), 'utf8'));
  const args: string[] = deployment.spec.template.spec.containers[0].args;
  return startPrometheus({
    config: config('prometheus.yml'),
    // The paths are those of the pod.
    args: [...args.filter((arg) => !/^--(config|storage)/.test(arg)), ...(more.args ?? [])],
    ...(more.rules && { rules: more.rules }),
  });
}

/** The repository's file with other values; what it does not have stays away. */
function configuration(options: PrometheusOptions): string {
  const { config, targets, scrapeInterval = '5s', rules = shippedRules } = options;
  const settings = parseDocument(readFileSync(config, 'utf8'));
  const places: readonly (readonly [path: readonly string[], value: unknown])[] = [
    [['rule_files'], rules],
    [['global', 'scrape_interval'], scrapeInterval],
    [['scrape_configs', '0', 'static_configs'], [{ targets }]],
  ];
  for (const [place, value] of places)
    if (settings.hasIn(place)) settings.setIn(place, settings.createNode(value));
  return String(settings);
}
