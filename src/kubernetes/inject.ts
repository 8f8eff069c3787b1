import { isMap, isScalar, isSeq, type YAMLMap } from 'yaml';
import { addBridge } from './add.ts';
import { type Manifest, ManifestProblem, refuseAliases, text } from './edit.ts';
import { bystanders, kinds } from './kinds.ts';
import { parseManifest, printDocument } from './manifest.ts';
import type { InjectOptions } from './options.ts';
import { type Pod, podsOf } from './pod.ts';
import { removeBridge } from './remove.ts';
import { addToTrainJob, removeFromTrainJob } from './train-job.ts';

export type Injection =
  | { readonly status: 'ok'; readonly text: string /** For a person. */; readonly notes: readonly string[] }
  | { readonly status: 'invalid'; readonly problems: readonly string[] };

/**
 * Adds the bridge to every pod of a manifest: YAML or JSON, one document or several. Comments and order are kept, and a
 * document that is not changed comes out byte by byte. All problems come at once, and then there is no manifest.
 */
export function injectManifest(manifest: string, options: InjectOptions): Injection {
  return edit(manifest, {
    pod: (document, pod) => addBridge(document, pod, options),
    trainJob: (document, job) => addToTrainJob(document, job, options),
  });
}

/** Takes out again what `injectManifest` has put in. */
export function removeFromManifest(manifest: string): Injection {
  return edit(manifest, {
    pod: (_document, pod) => removeBridge(pod),
    trainJob: (_document, job) => removeFromTrainJob(job),
  });
}

interface Edits {
  readonly pod: (document: Manifest, pod: Pod) => readonly string[];
  readonly trainJob: (document: Manifest, job: YAMLMap) => readonly string[];
}

function edit(manifest: string, edits: Edits): Injection {
  const parsing = parseManifest(manifest);
  if (parsing.status === 'invalid') return parsing;
  const notes: string[] = [];
  const problems: string[] = [];
  let found = 0;

  /** Errors of a document are collected, so that a person mends them in one go. */
  function resource(document: Manifest, item: YAMLMap, place: string): void {
    try {
      if (isBystander(item)) return;
      refuseAliases(item);
      found += 1;
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
    else if (text(root, 'kind') === 'List') {
      for (const [index, item] of listItems(root).entries())
        resource(document, item, `${place}, items[${index}] (${title(item)})`);
    } else resource(document, root, `${place} (${title(root)})`);
    return JSON.stringify(document) === before ? source : printDocument(it);
  });
  if (problems.length === 0 && found === 0)
    problems.push(
      manifest.trim() === '' ? 'there is nothing in it' : 'there is nothing in it that runs a pod',
    );
  return problems.length > 0 ? { status: 'invalid', problems } : { status: 'ok', text: join(printed), notes };
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
      `kind ${kind}${group && ` of ${group}`} is not known; the bridge goes into ${known}`,
    );
  }
  return podsOf(item, row).flatMap((pod) => edits.pod(document, pod));
}

function typeOf(item: YAMLMap) {
  const apiVersion = text(item, 'apiVersion') ?? '';
  return {
    group: apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '',
    kind: text(item, 'kind') ?? '',
  };
}

const isBystander = (item: YAMLMap) => bystanders.has(typeOf(item).kind);

function listItems(list: YAMLMap): readonly YAMLMap[] {
  const items = list.get('items', true);
  return isSeq(items) ? items.items.filter((item) => isMap(item)) : [];
}

function title(item: YAMLMap): string {
  const metadata = item.get('metadata', true);
  const name = isMap(metadata) ? (text(metadata, 'name') ?? text(metadata, 'generateName')) : undefined;
  return [text(item, 'kind') ?? 'no kind', name].filter(Boolean).join(' ');
}

/** Documents as one text: an edited one may end without the line break that the next one's marker needs. */
function join(documents: readonly string[]): string {
  return documents.reduce((all, next) => (all === '' || all.endsWith('\n') ? all : `${all}\n`) + next, '');
}
