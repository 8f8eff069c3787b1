import type { EditedHolder } from './add-bridge.ts';
import { childMap } from './fields.ts';
import { kinds, passThroughKinds } from './kinds.ts';
import { mapPods, type Pod } from './pod.ts';
import { placeProblems, withLine, withLineOf } from './problem-line.ts';
import { describeResource, mapNested, type Resource, titleOf, typeOf } from './resource.ts';
import { type ManifestDocument, type ManifestText, parseManifest } from './yaml/documents.ts';
import { editDocument, type RootEdit } from './yaml/edit-document.ts';
import { startOf } from './yaml/geometry.ts';
import { ManifestProblem } from './yaml/problem.ts';
import type { SourceText } from './yaml/source-text.ts';
import { isManifestMap, type ManifestMap } from './yaml/values.ts';

export type EditedManifest =
  | {
      readonly status: 'ok';
      readonly text: string;
      /** For the user; one line each. */
      readonly notes: readonly string[];
      readonly resources: readonly Resource[];
    }
  | { readonly status: 'invalid'; readonly problems: readonly string[] };

/** The edits of each pod or pod template, and of a TrainJob, which has no pod template. */
export interface ResourceEdits {
  readonly pod: (pod: Pod, source: SourceText) => EditedHolder;
  readonly trainJob: (job: ManifestMap, source: SourceText) => EditedHolder;
  /** Kinds that are not edited although they contain pods. */
  readonly unchangedKinds?: ReadonlySet<string>;
  /** Whether an unknown kind is a problem even if the manifest contains known ones. */
  readonly strict?: boolean;
  /** Must restore every byte of an edited document; otherwise the edit is a problem. */
  readonly inverse?: ResourceEdits;
}

/**
 * Edits every resource of a manifest: YAML or JSON, one document or several. Text that is not edited is kept byte by byte.
 * If there are problems, all of them are returned, and no manifest.
 */
export function editResources(text: string, edits: ResourceEdits): EditedManifest {
  const parsed = parseManifest(text);
  if (parsed.status === 'invalid') return parsed;
  const { manifest } = parsed;
  const results = manifest.documents.map((document) => editOne(manifest, document, edits));
  const resources = results.flatMap((it) => it.resources);
  const unknown = results.flatMap((it) => it.unknownKinds);
  const problems = results.flatMap((it) => it.problems);
  if (edits.strict || (problems.length === 0 && resources.length === 0))
    problems.push(...unknown.map((it) => it.problem));
  if (problems.length === 0 && resources.length === 0) problems.push(nothingToEdit(text));
  if (problems.length > 0) return { status: 'invalid', problems };
  const notes = [...results.flatMap((it) => it.notes), ...unknown.map((it) => it.note)];
  return { status: 'ok', text: results.map((it) => it.text).join(''), notes, resources };
}

const nothingToEdit = (text: string) =>
  text.trim() === '' ? 'the manifest is empty' : 'no resource of the manifest runs a pod';

/** What is said of a document of an unknown kind, if it is passed through or refused. */
interface UnknownKind {
  readonly note: string;
  readonly problem: string;
}

interface EditLog {
  readonly notes: string[];
  readonly problems: string[];
  readonly resources: Resource[];
  readonly unknownKinds: UnknownKind[];
}

const createLog = (): EditLog => ({ notes: [], problems: [], resources: [], unknownKinds: [] });

function editOne(
  manifest: ManifestText,
  document: ManifestDocument,
  edits: ResourceEdits,
): EditLog & { readonly text: string } {
  const log = createLog();
  const editor = (of: ResourceEdits, into: EditLog) => rootEditor(manifest, document, of, into);
  try {
    const inverse = edits.inverse && editor(edits.inverse, createLog());
    return { ...log, text: editDocument(manifest.text, document, editor(edits, log), inverse) };
  } catch (error) {
    if (!(error instanceof ManifestProblem)) throw error;
    const offset = typeof error.place === 'number' ? error.place : undefined;
    log.problems.push(`document ${document.number}: ${withLine(error.message, offset, manifest)}`);
    return { ...log, text: '' };
  }
}

/** Edits the resources of a document, including nested ones, and adds notes and problems to the log. */
function rootEditor(
  manifest: ManifestText,
  { document, number }: ManifestDocument,
  edits: ResourceEdits,
  log: EditLog,
): RootEdit {
  return (root, source) => {
    const place = `document ${number}`;
    if (isManifestMap(root)) return editResource(root, place);
    if (root !== null)
      log.problems.push(
        `${place}: ${withLine('is not a Kubernetes resource', startOf(document.contents), manifest)}`,
      );
    return root;

    function editResource(resource: ManifestMap, place: string): ManifestMap {
      const at = `${place} (${titleOf(resource)})`;
      try {
        const { kind } = typeOf(resource);
        if (passThroughKinds.has(kind) || edits.unchangedKinds?.has(kind)) return resource;
        const nested = mapNested(resource, (item, position) => editResource(item, `${place}, ${position}`));
        if (nested !== undefined) return nested;
        const edited = editKnown(resource, edits, source);
        if (edited.status === 'unknown kind') {
          const problem = withLine(edited.reason, source.offsetOf(resource), manifest);
          log.unknownKinds.push({
            note: `${at}: ${edited.reason}: passed through unchanged`,
            problem: `${at}: ${problem}; pods are looked for in ${knownKinds.join(', ')}`,
          });
          return resource;
        }
        log.resources.push(describeResource(resource));
        log.notes.push(...edited.notes.map((note) => `${at}: ${note}`));
        return edited.holder;
      } catch (error) {
        if (!(error instanceof ManifestProblem)) throw error;
        log.problems.push(`${at}: ${withLineOf(error, resource, source, manifest)}`);
        return resource;
      }
    }
  };
}

type KnownEdit =
  | ({ readonly status: 'ok' } & EditedHolder)
  | { readonly status: 'unknown kind'; readonly reason: string };

function editKnown(resource: ManifestMap, edits: ResourceEdits, source: SourceText): KnownEdit {
  const { group, kind } = typeOf(resource);
  if (kind === '') throw new ManifestProblem('kind is missing');
  if (group === 'trainer.kubeflow.org' && kind === 'TrainJob')
    return { status: 'ok', ...edits.trainJob(resource, source) };
  const known = kinds.find((it) => it.group === group && it.kind === kind);
  if (known === undefined) return { status: 'unknown kind', reason: unknownKind(group, kind) };
  const elsewhere = runsElsewhere(resource, kind);
  if (elsewhere !== undefined) return { status: 'ok', holder: resource, notes: [elsewhere] };
  const notes: string[] = [];
  const holder = mapPods(resource, known, (pod) => {
    const edited = placeProblems(pod.spec, () => edits.pod(pod, source));
    notes.push(...edited.notes);
    return edited.holder;
  });
  return { status: 'ok', holder, notes };
}

/** A RayJob can refer to an existing cluster. */
function runsElsewhere(resource: ManifestMap, kind: string): string | undefined {
  const spec = kind === 'RayJob' ? childMap(resource, 'spec', '') : undefined;
  if (spec?.clusterSelector === undefined) return undefined;
  return 'runs on the RayCluster that its clusterSelector names, which needs the bridge: inject into that one';
}

function unknownKind(group: string, kind: string): string {
  const other = kinds.find((it) => it.kind === kind);
  if (other && group === '')
    throw new ManifestProblem(`apiVersion is missing or not that of a ${kind} (${other.group}/…)`);
  return `kind ${kind}${group && ` of ${group}`} is not known`;
}

const knownKinds = [...kinds.map(({ kind }) => kind), 'TrainJob', 'AppWrapper', 'List'];
