import { ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import { readArguments } from '../../cli/arguments.ts';
import { commandOf } from '../../cli/command-table.ts';
import { namedSource, readSource } from '../../cli/source.ts';
import { type Environment, readSettings } from '../../common/setting.ts';
import { version } from '../../common/version.ts';
import type { Resource } from '../../kubernetes/edit-resources.ts';
import { traceManifest } from '../../kubernetes/trace-manifest.ts';
import { extractFromEnv } from '../../tracing/env.ts';
import { configureTracing, type Tracing } from '../../tracing/node.ts';
import { operationAttributes, operations } from '../../tracing/operations.ts';
import { type OpenSpan, startSpan } from '../../tracing/span.ts';
import { type Created, createdName, kubectlCreate } from './kubectl.ts';
import { jaegerSettings } from './options.ts';

const print = (text: string) => void process.stdout.write(text);
const say = (line: string) => console.error(`ml-metrics-bridge submit: ${line}`);

/** What the span says of what is submitted. */
interface Submission {
  readonly resources: readonly Resource[];
  readonly model: string | undefined;
  readonly jobType: string | undefined;
  readonly namespace: string | undefined;
}

/**
 * `submit [OPTIONS] [FILE]`: creates the resources of a manifest with kubectl, in a span whose context their pods get.
 *
 * @returns the exit code: 0 created, 1 the manifests cannot be read or kubectl cannot be run, 2 wrong arguments or
 *   variables, otherwise kubectl's own
 */
export async function submitCommand(args: readonly string[], environment: Environment): Promise<number> {
  const written = readArguments(commandOf('submit'), args);
  const { file, problems: ofSource } = namedSource('submit', written);
  const { values, problems: ofVariables } = readSettings(jaegerSettings, environment);
  const problems = [...written.problems, ...ofSource, ...ofVariables.map(({ message }) => message)];
  if (problems.length > 0) return refuse(problems, 2);

  const source = await readSource(file);
  if (source.status === 'unreadable') return refuse([`${file} cannot be read: ${source.reason}`], 1);
  // Without a trace nothing is added: this only asks what is in it.
  const reading = traceManifest(source.text, ROOT_CONTEXT);
  if (reading.status === 'invalid') return refuse(reading.problems, 1);

  const value = (name: string) => {
    const given = written.options[name];
    return typeof given === 'string' ? given : undefined;
  };
  const submission = {
    resources: reading.resources,
    model: value('model'),
    jobType: value('job-type'),
    namespace: value('namespace'),
  };
  const tracing = configureTracing({
    serviceName: 'ml-metrics-bridge-submit',
    serviceVersion: version,
    log: say,
  });
  const span = beginSpan(submission, environment);
  const traced = traceManifest(source.text, span.context);
  if (traced.status === 'invalid') return refuse(traced.problems, 1);
  if (written.options['dry-run']) {
    // The span is not ended, so it is not sent.
    print(traced.text);
    return 0;
  }
  for (const note of traced.notes) say(note);
  const exitCode = await create(traced.text, submission, span);
  printTrace(span, values.jaegerUrl);
  await sendSpan(tracing);
  return exitCode;
}

function refuse(problems: readonly string[], exitCode: 1 | 2): number {
  for (const problem of problems) say(problem);
  return exitCode;
}

function beginSpan(submission: Submission, environment: Environment): OpenSpan {
  const { resources, model, jobType, namespace } = submission;
  const parent = extractFromEnv(environment, ROOT_CONTEXT);
  if (environment.TRACEPARENT?.trim() && parent === ROOT_CONTEXT)
    say(`TRACEPARENT is ${JSON.stringify(environment.TRACEPARENT)}, which is none: a new trace begins`);
  const [first] = resources;
  const attributes = operationAttributes('trainer.submit_job', {
    jobName: first?.name,
    jobType: jobType ?? first?.kind,
    namespace: namespace ?? first?.namespace,
    model,
  });
  return startSpan('trainer.submit_job', attributes, { kind: operations['trainer.submit_job'].kind, parent });
}

async function create(manifest: string, submission: Submission, span: OpenSpan): Promise<number> {
  const { namespace, resources } = submission;
  const options = namespace === undefined ? [] : ['--namespace', namespace];
  const created = await kubectlCreate(manifest, options, {
    print,
    printError: (text) => void process.stderr.write(text),
  });
  if (created.status !== 'ok') return failed(created, span);
  const [{ generateName, name } = { generateName: undefined, name: undefined }] = resources;
  if (name === undefined && generateName !== undefined) {
    const jobName = createdName(generateName, created.output);
    span.span.setAttributes(operationAttributes('trainer.submit_job', { jobName }));
  }
  span.end();
  return 0;
}

function failed(created: Exclude<Created, { readonly status: 'ok' }>, span: OpenSpan): number {
  span.fail(Object.assign(new Error(created.reason), { name: 'KubectlError' }));
  if (created.status === 'failed') return created.exitCode;
  say(created.reason);
  return 1;
}

function printTrace({ context }: OpenSpan, jaegerUrl: string | undefined): void {
  const spanContext = trace.getSpanContext(context);
  if (spanContext === undefined || !trace.isSpanContextValid(spanContext)) return;
  const { traceId, traceFlags } = spanContext;
  const isSampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
  print(`Trace: ${traceId}${isSampled ? '' : ' (not sampled)'}\n`);
  if (isSampled && jaegerUrl !== undefined) print(`${jaegerUrl}/trace/${traceId}\n`);
}

/** Waits for the Collector as long as the library does, and no longer: the job is created already. */
async function sendSpan(tracing: Tracing): Promise<void> {
  const { status } = await tracing.shutdown();
  if (status === 'timeout') say('the Collector has not answered: the trace may lack trainer.submit_job');
}
