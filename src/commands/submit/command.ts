import { ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import { optionValue } from '../../cli/arguments.ts';
import { type CommandContext, printErrors, refuse } from '../../cli/command.ts';
import { inputFile, readInput } from '../../cli/input.ts';
import type { Output } from '../../cli/terminal/output.ts';
import { readSettings } from '../../common/setting.ts';
import { version } from '../../common/version.ts';
import type { Resource } from '../../kubernetes/resource.ts';
import { runtimesNamedIn } from '../../kubernetes/runtime.ts';
import { traceManifest } from '../../kubernetes/trace-manifest.ts';
import { extractFromEnv } from '../../tracing/env.ts';
import { configureTracing, type Tracing } from '../../tracing/node.ts';
import { operationAttributes, operations } from '../../tracing/operations.ts';
import { type OpenSpan, startSpan } from '../../tracing/span.ts';
import { type Created, createdName, kubectlCreate, namespaceOptions } from './kubectl.ts';
import { jaegerSettings } from './options.ts';
import { readRuntimes } from './runtimes.ts';

/** What the attributes of the span are made of. */
interface Submission {
  readonly resources: readonly Resource[];
  readonly model: string | undefined;
  readonly jobType: string | undefined;
  readonly namespace: string | undefined;
}

/**
 * `submit [OPTIONS] [FILE]`: creates the resources of a manifest with kubectl, in a span whose context is added to their pods.
 *
 * @returns the exit code: 0 created, 1 the manifests cannot be read or kubectl cannot be run, 2 wrong arguments or
 *   variables, otherwise kubectl's own
 */
export async function submitCommand(context: CommandContext): Promise<number> {
  const { args, environment, stdin, stdout } = context;
  const { file, problems: inputProblems } = inputFile(args);
  const { values, problems: variableProblems } = readSettings(jaegerSettings, environment);
  const problems = [...args.problems, ...inputProblems, ...variableProblems.map(({ message }) => message)];
  if (problems.length > 0) return refuse(context, problems);

  const input = await readInput(file, stdin);
  if (input.status === 'unreadable') return fail(context, [`cannot read ${file}: ${input.reason}`]);
  // Without a trace context nothing is added: this only reads the resources.
  const reading = traceManifest(input.text, ROOT_CONTEXT);
  if (reading.status === 'invalid') return fail(context, reading.problems);

  const submission = {
    resources: reading.resources,
    model: optionValue(args, 'model'),
    jobType: optionValue(args, 'job-type'),
    namespace: optionValue(args, 'namespace'),
  };
  const tracing = configureTracing({
    serviceName: 'ml-metrics-bridge-submit',
    serviceVersion: version,
    log: (line) => printErrors(context, [line]),
  });
  const span = beginSpan(submission, context);
  const runtimes = await readRuntimes(runtimesNamedIn(input.text), submission.namespace);
  printErrors(context, runtimes.notes);
  const traced = traceManifest(input.text, span.context, runtimes.jobsOfRuntimeOf);
  if (traced.status === 'invalid') return fail(context, traced.problems);
  if (args.options['dry-run']) {
    // The span is not ended, so it is not sent.
    stdout.write(traced.text);
    return 0;
  }
  printErrors(context, traced.notes);
  const exitCode = await create(traced.text, submission, span, context);
  printTrace(span, values.jaegerUrl, stdout);
  await sendSpan(tracing, context);
  return exitCode;
}

function fail(context: CommandContext, problems: readonly string[]): number {
  printErrors(context, problems);
  return 1;
}

function beginSpan(submission: Submission, context: CommandContext): OpenSpan {
  const { environment } = context;
  const { resources, model, jobType, namespace } = submission;
  const parent = extractFromEnv(environment, ROOT_CONTEXT);
  if (environment.TRACEPARENT?.trim() && parent === ROOT_CONTEXT)
    printErrors(context, [
      `TRACEPARENT is ${JSON.stringify(environment.TRACEPARENT)}, which is not valid: starting a new trace`,
    ]);
  const [first] = resources;
  const attributes = operationAttributes('trainer.submit_job', {
    jobName: first?.name,
    jobType: jobType ?? first?.kind,
    namespace: namespace ?? first?.namespace,
    model,
  });
  return startSpan('trainer.submit_job', attributes, { kind: operations['trainer.submit_job'].kind, parent });
}

async function create(
  manifest: string,
  submission: Submission,
  span: OpenSpan,
  context: CommandContext,
): Promise<number> {
  const { namespace, resources } = submission;
  const created = await kubectlCreate(manifest, namespaceOptions(namespace), context);
  if (created.status !== 'ok') return reportFailure(created, span, context);
  const [{ generateName, name } = { generateName: undefined, name: undefined }] = resources;
  if (name === undefined && generateName !== undefined) {
    const jobName = createdName(generateName, created.output);
    span.span.setAttributes(operationAttributes('trainer.submit_job', { jobName }));
  }
  span.end();
  return 0;
}

function reportFailure(
  created: Exclude<Created, { readonly status: 'ok' }>,
  span: OpenSpan,
  context: CommandContext,
): number {
  span.fail(Object.assign(new Error(created.reason), { name: 'KubectlError' }));
  if (created.status === 'failed') return created.exitCode;
  return fail(context, [created.reason]);
}

function printTrace({ context }: OpenSpan, jaegerUrl: string | undefined, stdout: Output): void {
  const spanContext = trace.getSpanContext(context);
  if (spanContext === undefined || !trace.isSpanContextValid(spanContext)) return;
  const { traceId, traceFlags } = spanContext;
  const isSampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
  stdout.write(`Trace: ${traceId}${isSampled ? '' : ' (not sampled)'}\n`);
  if (isSampled && jaegerUrl !== undefined) stdout.write(`${jaegerUrl}/trace/${traceId}\n`);
}

/** Waits only as long as the library does, because the job is already created. */
async function sendSpan(tracing: Tracing, context: CommandContext): Promise<void> {
  const { status } = await tracing.shutdown();
  if (status === 'timeout')
    printErrors(context, ['no response from the Collector: the span trainer.submit_job may be missing']);
}
