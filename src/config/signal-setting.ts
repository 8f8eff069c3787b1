import { type Parsed, type SettingOptions, setting } from './setting.ts';

/** Rows for OTLP's standard variables: the one for this signal alone wins over the one for all, as specified. */
export const signalSetting =
  (signal: 'METRICS' | 'TRACES') =>
  <T>(
    suffix: string,
    parse: (text: string) => Parsed<T>,
    fallback: T,
    description: string,
    options: Omit<SettingOptions, 'fallbacks'> = {},
  ) =>
    setting(`OTEL_EXPORTER_OTLP_${signal}_${suffix}`, parse, fallback, description, {
      fallbacks: [`OTEL_EXPORTER_OTLP_${suffix}`],
      ...options,
    });
