import { type Context, context } from '@opentelemetry/api';
import { extractTraceHeaders, injectTraceHeaders, type TraceHeaders } from './w3c.ts';

/** The environment of a process: `process.env`, or that of a child process. */
export type EnvRecord = Readonly<Record<string, string | undefined>>;

/** An entry in the `env` list of a Kubernetes container. */
export interface EnvVar {
  readonly name: string;
  readonly value?: string | undefined;
  readonly valueFrom?: unknown;
}

/** The variables that carry trace context. Source: OpenTelemetry specification, environment variables as context propagation carriers. */
export type TraceEnv = {
  readonly TRACEPARENT?: string;
  readonly TRACESTATE?: string;
};

/**
 * Adds the context's span to the environment as TRACEPARENT and TRACESTATE. The input is never changed.
 *
 * The same object is returned if there is no valid span, or if either variable is already set, even to an empty text:
 * a value is never overwritten, and a TRACESTATE is never combined with a TRACEPARENT it does not belong to. (A property
 * of the record whose value is undefined counts as not set.)
 *
 * For a container that may have no `env`, use `injectToEnvList`: for undefined this function cannot know which form to return.
 */
export function injectToEnv<E extends EnvVar>(env: readonly E[], from?: Context): E[];
export function injectToEnv<E extends EnvRecord>(env: E, from?: Context): E & TraceEnv;
export function injectToEnv<E extends EnvRecord>(
  env: E | undefined,
  from?: Context,
): (E & TraceEnv) | Record<string, string> | undefined;
export function injectToEnv(
  env: EnvRecord | readonly EnvVar[] | undefined,
  from = context.active(),
): unknown {
  if (isList(env)) return injectToEnvList(env, from);
  if (env?.TRACEPARENT !== undefined || env?.TRACESTATE !== undefined) return env;
  const headers = injectTraceHeaders(from);
  if (headers === undefined) return env;
  const { traceparent, tracestate } = headers;
  return {
    ...env,
    TRACEPARENT: traceparent,
    ...(tracestate === undefined ? {} : { TRACESTATE: tracestate }),
  };
}

/** Like `injectToEnv`, for the `env` of a Kubernetes container that may have none. Variables of `envFrom` are not taken into account. */
export function injectToEnvList<E extends EnvVar>(env: readonly E[], from?: Context): E[];
export function injectToEnvList<E extends EnvVar>(
  env: readonly E[] | undefined,
  from?: Context,
): E[] | undefined;
export function injectToEnvList(
  env: readonly EnvVar[] | undefined,
  from = context.active(),
): readonly EnvVar[] | undefined {
  if (env?.some(({ name }) => name === 'TRACEPARENT' || name === 'TRACESTATE')) return env;
  const headers = injectTraceHeaders(from);
  return headers === undefined ? env : [...(env ?? []), ...entries(headers)];
}

/**
 * Returns `into` with the span of TRACEPARENT and TRACESTATE as the parent of new spans; `into` itself if they hold no
 * valid span. Never throws.
 */
export function extractFromEnv(
  env: EnvRecord | readonly EnvVar[] | undefined,
  into = context.active(),
): Context {
  if (!isList(env)) return extractTraceHeaders(into, env?.TRACEPARENT, env?.TRACESTATE);
  // Kubernetes uses the last of several entries with the same name.
  const value = (wanted: string) => unescaped(env.findLast((entry) => entry?.name === wanted)?.value);
  return extractTraceHeaders(into, value('TRACEPARENT'), value('TRACESTATE'));
}

const isList = (env: unknown): env is readonly EnvVar[] => Array.isArray(env);

function entries({ traceparent, tracestate }: TraceHeaders): EnvVar[] {
  const list: EnvVar[] = [{ name: 'TRACEPARENT', value: traceparent }];
  if (tracestate !== undefined) list.push({ name: 'TRACESTATE', value: escaped(tracestate) });
  return list;
}

// Kubernetes replaces `$(NAME)` by the value of that variable, which may be a secret, and a tracestate may contain such text.
// Source: Kubernetes, EnvVar v1 core: "double $$ are reduced to a single $".
const escaped = (value: string) => value.replaceAll('$', '$$$$');
const unescaped = (value: unknown) => (typeof value === 'string' ? value.replaceAll('$$', '$') : undefined);
