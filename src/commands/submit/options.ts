import { type ParseResult, type Settings, setting } from '../../common/setting.ts';
import { tracingSettings } from '../../tracing/settings.ts';

/** The command line of `submit`, as data for help and completion. */
export const submitOptions = [
  {
    name: 'filename',
    short: 'f',
    argument: 'FILE',
    once: true,
    description: 'File with the manifests; - is standard input',
  },
  {
    name: 'model',
    argument: 'NAME',
    description: 'Name of the model, for the span attribute gen_ai.request.model',
  },
  {
    name: 'job-type',
    argument: 'TYPE',
    description: "Type of the job, for the span attribute kubeflow.job_type [default: the resource's kind]",
  },
  { name: 'namespace', short: 'n', argument: 'NAME', description: 'Namespace, passed to kubectl' },
  {
    name: 'dry-run',
    description: 'Print the resulting manifest without creating anything or sending a span',
  },
] as const;

/** A base address of http: or https:, without the slash at its end. */
function webAddress(written: string): ParseResult<string> {
  const scheme = URL.canParse(written) ? new URL(written).protocol : '';
  return /^https?:$/.test(scheme)
    ? { status: 'ok', value: written.replace(/\/+$/, '') }
    : { status: 'invalid', expected: 'an address such as http://localhost:16686' };
}

export const jaegerSettings = {
  jaegerUrl: setting<string | undefined>(
    'JAEGER_URL',
    webAddress,
    undefined,
    'Address of the Jaeger UI, for the printed link to the trace',
  ),
} as const;

/** Everything `submit` reads; the variables that carry the parent are read by the propagator. */
export const submitSettings: Settings = { ...jaegerSettings, ...tracingSettings };
