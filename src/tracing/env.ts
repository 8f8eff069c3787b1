import { type Context, context } from '@opentelemetry/api';
import { extractTraceHeaders, injectTraceHeaders, type TraceHeaders } from './w3c.ts';

/** An environment as a process has it, `process.env` or that of a child. */
export type EnvRecord = Readonly<Record<string, string | undefined>>;

/** An entry of `env` of a Kubernetes container. */
export interface EnvVar {
  readonly name: string;
  readonly value?: string | undefined;
  readonly valueFrom?: unknown;
}

/** The variables trace context travels in: OpenTelemetry specification, environment variables as context carriers. */
export type TraceEnv = {
  readonly TRACEPARENT?: string;
  readonly TRACESTATE?: string;
};

/**
 * The environment with the context's span in TRACEPARENT and TRACESTATE; the input is never changed.
 *
 * The very same object comes back where there is no valid span, and where either variable is there already, even
 * empty: what is set is not overwritten, and a TRACESTATE is not paired with a TRACEPARENT it does not belong to.
 * (An entry of the record whose value is undefined is not set.)
 *
 * Where a container may have no `env` at all, use `injectToEnvList`: of undefined alone it cannot be told what to make.
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

/** As `injectToEnv`, for the `env` of a Kubernetes container that may have none. Variables of an `envFrom` are not seen. */
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
 * The context whose span is the one in TRACEPARENT and TRACESTATE, as a parent for spans to come; `into` itself where
 * there is none or an invalid one. Never throws, whatever the variables hold.
 */
export function extractFromEnv(
  env: EnvRecord | readonly EnvVar[] | undefined,
  into = context.active(),
): Context {
  if (!isList(env)) return extractTraceHeaders(into, env?.TRACEPARENT, env?.TRACESTATE);
  // Of entries with the same name Kubernetes takes the last.
  const value = (wanted: string) => unescaped(env.findLast((entry) => entry?.name === wanted)?.value);
  return extractTraceHeaders(into, value('TRACEPARENT'), value('TRACESTATE'));
}

const isList = (env: unknown): env is readonly EnvVar[] => Array.isArray(env);

function entries({ traceparent, tracestate }: TraceHeaders): EnvVar[] {
  const list: EnvVar[] = [{ name: 'TRACEPARENT', value: traceparent }];
  if (tracestate !== undefined) list.push({ name: 'TRACESTATE', value: escaped(tracestate) });
  return list;
}

// Kubernetes replaces `$(NAME)` in a value by another variable's, a secret's too, and a tracestate may hold such text.
// Source: Kubernetes, EnvVar v1 core: "double $$ are reduced to a single $".
const escaped = (value: string) => value.replaceAll('$', '$$$$');
const unescaped = (value: unknown) => (typeof value === 'string' ? value.replaceAll('$$', '$') : undefined);
