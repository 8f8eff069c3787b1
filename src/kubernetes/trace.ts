import type { YAMLMap } from 'yaml';
import { append, childItems, ensure, type Manifest, named } from './edit.ts';
import type { Marks } from './marker.ts';
import type { TraceContext } from './options.ts';

export type Variables = Readonly<Record<string, string>>;

export function traceVariables(trace: TraceContext | undefined): Variables {
  if (trace === undefined) return {};
  const { traceparent, tracestate } = trace;
  return { TRACEPARENT: traceparent, ...(tracestate === undefined ? {} : { TRACESTATE: tracestate }) };
}

export function traceAnnotations(trace: TraceContext | undefined): Variables {
  return Object.fromEntries(
    Object.entries(traceVariables(trace)).map(([name, value]) => [
      `opentelemetry.io/${name.toLowerCase()}`,
      value,
    ]),
  );
}

/** Those of the annotations that may be added to what is there: all of a trace context, or nothing. */
export const missingAnnotations = (present: YAMLMap | undefined, annotations: Variables): Variables =>
  present?.has('opentelemetry.io/traceparent') ? {} : annotations;

/** Adds the variables that are not set in a container yet, and says whether there were any. */
export function addVariables(
  document: Manifest,
  container: YAMLMap,
  variables: Variables,
  marks: Marks,
  place: string,
): boolean {
  const present = childItems(container, 'env', place);
  const hasTrace = named(present, 'TRACEPARENT') !== undefined;
  const missing = Object.entries(variables)
    .filter(([name]) => named(present, name) === undefined)
    // One trace's parent with the state of another is worse than neither.
    .filter(([name]) => !(hasTrace && name === 'TRACESTATE'));
  if (missing.length === 0) return false;
  const list = ensure(container, 'env', 'list', marks.was(`${place}.env`));
  for (const [name, value] of missing) {
    append(document, list, { name, value });
    marks.add('env', name);
  }
  return true;
}
