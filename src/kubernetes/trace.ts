import { childItems, findNamed, withAppended } from './fields.ts';
import { annotationsOf, type InjectionRecord } from './injection-record.ts';
import type { TraceContext } from './options.ts';
import type { SourceText } from './yaml/source-text.ts';
import type { ManifestMap } from './yaml/values.ts';

export type Variables = Readonly<Record<string, string>>;

export function traceVariables(trace: TraceContext | undefined): Variables {
  if (trace === undefined) return {};
  const { traceparent, tracestate } = trace;
  return { TRACEPARENT: traceparent, ...(tracestate === undefined ? {} : { TRACESTATE: tracestate }) };
}

/** The annotations of a trace context; none if the pod has one already. */
export function traceAnnotationsFor(
  { holder, position }: { readonly holder: ManifestMap; readonly position: string },
  trace: TraceContext | undefined,
): Variables {
  if (annotationsOf(holder, position)?.['opentelemetry.io/traceparent'] !== undefined) return {};
  return Object.fromEntries(
    Object.entries(traceVariables(trace)).map(([name, value]) => [
      `opentelemetry.io/${name.toLowerCase()}`,
      value,
    ]),
  );
}

/** Adds the variables that are not set in a container yet. */
export function withVariables(
  container: ManifestMap,
  variables: Variables,
  record: InjectionRecord,
  position: string,
  source: SourceText,
): ManifestMap {
  const present = childItems(container, 'env', position);
  const hasTrace = findNamed(present, 'TRACEPARENT') !== undefined;
  const missing = Object.entries(variables)
    .filter(([name]) => findNamed(present, name) === undefined)
    // A TRACESTATE belongs to the TRACEPARENT of the same trace.
    .filter(([name]) => !(hasTrace && name === 'TRACESTATE'));
  if (missing.length > 0) record.addEmpty(`${position}.env`, source.emptyText(container, 'env'));
  return missing.reduce((changed, [name, value]) => {
    record.add('env', name);
    return withAppended(changed, 'env', { name, value });
  }, container);
}
