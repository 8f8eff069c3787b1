import { readFileSync } from 'node:fs';
import type { GeneratedFile } from '../generated-file.ts';

export interface Replacement {
  readonly pattern: RegExp;
  readonly by: string;
}

const root = new URL('../../../', import.meta.url);

export const readFile = (path: string) => readFileSync(new URL(path, root), 'utf8');

/** Replaces what a pattern matches. A pattern that matches nothing is an error, so that no value loses its effect. */
function replaced(text: string, { pattern, by }: Replacement, path: string): string {
  const everywhere = new RegExp(pattern, 'gm');
  if (text.search(everywhere) === -1) throw new Error(`k8s/${path} has nothing that matches ${pattern}`);
  return text.replaceAll(everywhere, by);
}

export const include = (indent: number, helper: string, component: string) =>
  `{{- include "ml-metrics-bridge.${helper}" (dict "root" . "component" "${component}") | nindent ${indent} }}`;

/** The document with the labels of the chart in place of those that kustomize adds. */
const labelled = (document: string) =>
  document
    .replace(/^ {2}labels: \{app\.kubernetes\.io\/component: ([\w-]+)\}$/m, (_, component) =>
      ['  labels:', `    ${include(4, 'labels', component)}`].join('\n'),
    )
    .replace(
      /^ {6}labels: \{app: ([\w-]+), app\.kubernetes\.io\/component: ([\w-]+)\}$/m,
      (_, app, component) =>
        ['      labels:', `        app: ${app}`, `        ${include(8, 'selectors', component)}`].join('\n'),
    );

export interface Template {
  /** Under `k8s/`. */
  readonly source: string;
  /** The condition of the whole file, or of each document by the name of its resource. */
  readonly condition: string | Readonly<Record<string, string>>;
  readonly replacements?: readonly Replacement[];
}

function conditionOf({ source, condition }: Template, document: string): string {
  if (typeof condition === 'string') return condition;
  const name = /^ {2}name: (.*)$/m.exec(document)?.[1] ?? '';
  const found = condition[name];
  if (found === undefined) throw new Error(`k8s/${source}: no condition for ${name}`);
  return found;
}

const note = (source: string) =>
  `{{- /* Generated from k8s/${source} by npm run generate, which overwrites edits. */ -}}\n`;

/** A manifest as a template of Helm, which keeps its comments. */
export function templateOf(template: Template): string {
  const { source, replacements = [] } = template;
  const text = readFile(`k8s/${source}`);
  if (text.includes('{{')) throw new Error(`k8s/${source}: {{ would be read as a template`);
  const documents = replacements
    .reduce((current, replacement) => replaced(current, replacement, source), text)
    .split(/^---\n/m)
    .map(
      (document) => `{{- if ${conditionOf(template, document)} }}\n---\n${labelled(document)}{{- end }}\n`,
    );
  return note(source) + documents.join('');
}

/** A file of the chart that templates read by `.Files.Get`. */
export const copyOf = (source: string, path: string): GeneratedFile => ({
  path: `charts/ml-metrics-bridge/files/${path}`,
  render: () => readFile(source),
});
