import { isMap, isScalar, isSeq, type YAMLMap } from 'yaml';
import { type Manifest, ManifestProblem, refuseAliases, scalarText } from './edit.ts';
import { kinds, passThroughKinds } from './kinds.ts';
import { parseManifest, printDocument } from './manifest.ts';
import { type Pod, podsOf } from './pod.ts';

/** A resource that was edited, by what it says of itself. */
export interface Resource {
  readonly kind: string;
  readonly name: string | undefined;
  readonly generateName: string | undefined;
  readonly namespace: string | undefined;
}

export type Edited =
  | {
      readonly status: 'ok';
      readonly text: string;
      /** For a person. */
      readonly notes: readonly string[];
      readonly resources: readonly Resource[];
    }
  | { readonly status: 'invalid'; readonly problems: readonly string[] };

/** What is done to each pod, or template of one; each gives what a person should know about it. */
export interface Edits {
  readonly pod: (document: Manifest, pod: Pod) => readonly string[];
  readonly trainJob: (document: Manifest, job: YAMLMap) => readonly string[];
  /** Kinds that are left as they are although they hold pods. */
  readonly leave?: ReadonlySet<string>;
}

/**
 * Edits every resource of a manifest: YAML or JSON, one document or several. Comments and order are kept, and a document
 * that is not changed comes out byte by byte. All problems come at once, and then there is no manifest.
 */
export function editResources(manifest: string, edits: Edits): Edited {
  const parsing = parseManifest(manifest);
  if (parsing.status === 'invalid') return parsing;
  const notes: string[] = [];
  const problems: string[] = [];
  const resources: Resource[] = [];

  /** Errors of a document are collected, so that a person mends them in one go. */
  function resource(document: Manifest, item: YAMLMap, place: string): void {
    try {
      const { kind } = typeOf(item);
      if (passThroughKinds.has(kind) || edits.leave?.has(kind)) return;
      refuseAliases(item);
      resources.push(describe(item));
      notes.push(...editResource(document, item, edits).map((note) => `${place}: ${note}`));
    } catch (error) {
      if (!(error instanceof ManifestProblem)) throw error;
      problems.push(`${place}: ${error.message}`);
    }
  }

  const printed = parsing.documents.map((it) => {
    const { document, number, source } = it;
    const root = document.contents as unknown;
    if (root === null || (isScalar(root) && root.value === null)) return source;
    const before = JSON.stringify(document);
    const place = `document ${number}`;
    if (!isMap(root)) problems.push(`${place}: is no Kubernetes resource`);
    else if (scalarText(root, 'kind') === 'List') {
      for (const [index, item] of listItems(root).entries())
        resource(document, item, `${place}, items[${index}] (${title(item)})`);
    } else resource(document, root, `${place} (${title(root)})`);
    return JSON.stringify(document) === before ? source : printDocument(it);
  });
  if (problems.length === 0 && resources.length === 0)
    problems.push(
      manifest.trim() === '' ? 'there is nothing in it' : 'there is nothing in it that runs a pod',
    );
  return problems.length > 0
    ? { status: 'invalid', problems }
    : { status: 'ok', text: join(printed), notes, resources };
}

function editResource(document: Manifest, item: YAMLMap, edits: Edits): readonly string[] {
  const { group, kind } = typeOf(item);
  if (group === 'trainer.kubeflow.org' && kind === 'TrainJob') return edits.trainJob(document, item);
  const row = kinds.find((it) => it.group === group && it.kind === kind);
  if (row === undefined) {
    if (kind === '') throw new ManifestProblem('kind is missing');
    const other = kinds.find((it) => it.kind === kind);
    if (other && group === '')
      throw new ManifestProblem(`apiVersion is missing or not that of a ${kind} (${other.group}/…)`);
    const known = [...kinds.map((it) => it.kind), 'TrainJob'].join(', ');
    throw new ManifestProblem(
      `kind ${kind}${group && ` of ${group}`} is not known; pods are looked for in ${known}`,
    );
  }
  return podsOf(item, row).flatMap((pod) => edits.pod(document, pod));
}

function typeOf(item: YAMLMap) {
  const apiVersion = scalarText(item, 'apiVersion') ?? '';
  return {
    group: apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '',
    kind: scalarText(item, 'kind') ?? '',
  };
}

function listItems(list: YAMLMap): readonly YAMLMap[] {
  const items = list.get('items', true);
  return isSeq(items) ? items.items.filter((item) => isMap(item)) : [];
}

function describe(item: YAMLMap): Resource {
  const metadata = item.get('metadata', true);
  const written = (key: string) => (isMap(metadata) ? scalarText(metadata, key) : undefined);
  const [name, generateName, namespace] = [written('name'), written('generateName'), written('namespace')];
  return { kind: typeOf(item).kind, name, generateName, namespace };
}

function title(item: YAMLMap): string {
  const { kind, name, generateName } = describe(item);
  return [kind || 'no kind', name ?? generateName].filter(Boolean).join(' ');
}

/** Documents as one text: an edited one may end without the line break that the next one's marker needs. */
function join(documents: readonly string[]): string {
  return documents.reduce((all, next) => (all === '' || all.endsWith('\n') ? all : `${all}\n`) + next, '');
}
