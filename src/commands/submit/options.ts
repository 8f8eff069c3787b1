import { type ParseResult, type Settings, setting } from '../../common/setting.ts';
import { tracingSettings } from '../../tracing/settings.ts';

/** The command line of `submit`, as data for help and completion. */
export const submitOptions = [
  { name: 'filename', short: 'f', argument: 'FILE', description: 'The manifests; - is standard input' },
  { name: 'model', argument: 'NAME', description: 'The model that is trained: gen_ai.request.model' },
  {
    name: 'job-type',
    argument: 'TYPE',
    description: "What kind of job it is: kubeflow.job_type; the resource's kind where it is not given",
  },
  { name: 'namespace', short: 'n', argument: 'NAME', description: 'Handed on to kubectl' },
  {
    name: 'dry-run',
    description: 'Print the manifest as it would be created; nothing is created and no span is sent',
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
    "Address of Jaeger's user interface, for the link to the trace",
  ),
} as const;

/** Everything `submit` reads; the variables that carry the parent are read by the propagator. */
export const submitSettings: Settings = { ...jaegerSettings, ...tracingSettings };
