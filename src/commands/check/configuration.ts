import { type Line, span } from '../../cli/terminal/line.ts';
import { wrap } from '../../cli/wrap.ts';
import { type Environment, readSettings, type Setting } from '../../common/setting.ts';
import { bridgeSettings, readConfig } from '../../config/bridge.ts';
import { bridgeResource } from '../../telemetry/resource.ts';
import { targetLabels } from './series.ts';

export interface SettingReport {
  /** The variable it was read from; for a default, the first variable that would be read. */
  readonly variable: string;
  readonly source: 'environment' | 'default';
  /** As written in the variable, without secrets. Empty for none. */
  readonly value: string;
}

/** The shape of `--print-config --output json`. */
export interface ConfigurationReport {
  readonly status: 'ok' | 'invalid';
  readonly settings: readonly SettingReport[];
  /** Values that follow from several settings; absent if any setting is invalid. */
  readonly derived?: {
    readonly collector: string;
    readonly transport: 'plaintext' | 'tls';
    readonly job: string;
    readonly instance: string;
  };
  readonly warnings: readonly string[];
  readonly problems: readonly string[];
}

/** The effective configuration and the source of each value, without secrets. */
export function reportConfiguration(
  environment: Environment,
  hostName: string,
  version: string,
): ConfigurationReport {
  const { sources } = readSettings(bridgeSettings, environment);
  const settings = Object.entries(bridgeSettings).map(([key, row]): SettingReport => {
    const source = sources[key as keyof typeof sources];
    if (source === 'default') return { variable: row.variable, source: 'default', value: row.defaultText };
    const written = environment[source]?.trim() ?? '';
    return {
      variable: source,
      source: 'environment',
      value: shownValue(row, written, source),
    };
  });
  const reading = readConfig(environment);
  if (reading.status === 'invalid')
    return {
      status: 'invalid',
      settings,
      warnings: [],
      problems: reading.problems.map(({ message }) => message),
    };
  const { endpoint } = reading.config;
  const { job = '', instance = '' } = targetLabels(bridgeResource(reading.config, hostName, version));
  const derived = { collector: endpoint.target, transport: endpoint.transport, job, instance };
  return { status: 'ok', settings, derived, warnings: reading.warnings, problems: [] };
}

function shownValue(row: Setting<unknown>, written: string, variable: string): string {
  if (row.secret) return concealed(written, row.default);
  const parsed = row.parse(written, variable);
  return parsed.status === 'invalid' && parsed.mayBeSecret ? '(hidden)' : withoutUser(written);
}

/**
 * Values of headers are often tokens, but their names are not, unless they have no value: a token may end with `=`. Of any
 * other secret, such as an address, nothing is shown.
 */
function concealed(written: string, fallback: unknown): string {
  if (typeof fallback !== 'object') return '(hidden)';
  const names = written
    .split(',')
    .filter((pair) => /=\s*[^=\s]/.test(pair))
    .map((pair) => `${pair.split('=')[0]?.trim()}=…`);
  return names.length === 0 ? '(hidden)' : names.join(',');
}

/** An address with credentials is invalid, and still must not be printed. A password may contain any character. */
const withoutUser = (written: string) => written.replace(/(:\/\/|^(?=[^/])).*@/, '$1***@');

export function configurationLines(report: ConfigurationReport, columns: number): readonly Line[] {
  const { settings, derived, warnings, problems } = report;
  const from = (source: SettingReport['source']) => settings.filter((it) => it.source === source);
  const lines = (list: readonly SettingReport[]) =>
    list.map((it): Line => [`  ${it.variable}=`, it.value.replaceAll(/\p{C}/gu, '\uFFFD')]);
  const given = from('environment');
  return [
    [span('strong', 'From the environment')],
    ...(given.length === 0 ? [['  none']] : lines(given)),
    [],
    [span('strong', 'Defaults')],
    ...lines(from('default')),
    ...(derived === undefined
      ? []
      : [
          [],
          [span('strong', 'Derived')],
          [
            `  Collector at ${derived.collector}, ${derived.transport === 'tls' ? 'with TLS' : 'in plaintext'}`,
          ],
          [`  job="${derived.job}"`],
          [`  instance="${derived.instance}"`],
        ]),
    ...warnings.flatMap((it) => [
      [],
      ...wrap(`Note: ${it}`, columns).map((line): Line => [span('warning', line)]),
    ]),
    ...problems.flatMap((it) => [[], ...wrap(`✗ ${it}`, columns).map((line): Line => [span('bad', line)])]),
  ];
}
