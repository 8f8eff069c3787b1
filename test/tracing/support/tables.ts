import { eventTable } from '../../../src/tracing/events.ts';
import { attributeAliases, type Fields } from '../../../src/tracing/fields.ts';
import { operations } from '../../../src/tracing/index.ts';
import { namespaces } from '../../../src/tracing/namespaces.ts';
import { tracingSettings } from '../../../src/tracing/settings.ts';
import { code, markdownTable } from '../../../tools/generate/markdown.ts';
import type { Sections } from '../../../tools/generate/sections.ts';
import { environmentTable } from '../../../tools/generate/tables/environment.ts';

const typeOf = (type: string) =>
  type === 'string' ? '' : ` (${type.replace('string[]', 'list of strings')})`;

const fieldsOf = (fields: Fields) =>
  Object.entries(fields)
    .map(([field, [attribute, type]]) => `${code(field)}${typeOf(type)}: ${code(attribute)}`)
    .join('<br>');

const helpers = Object.entries(namespaces).map(([name, fields]) => [
  code(`${name}Attributes`),
  fieldsOf(fields),
]);

const marks = Object.entries(eventTable).map(([name, row]) => [
  code(`events.${name}`),
  code(row.name),
  fieldsOf(row.fields),
]);

const calls = Object.entries(operations).map(([name, { fields }]) => [code(name), fieldsOf(fields)]);

/** The tables of the library's documentation, from the tables of its code. */
export const documentedTables: Sections = {
  environment: environmentTable(tracingSettings),
  attributes: markdownTable(['Helper', 'Fields and their attributes'], helpers),
  aliases: markdownTable(
    ['Name', 'Is written as'],
    Object.entries(attributeAliases).map((names) => names.map(code)),
  ),
  events: markdownTable(['Event', 'Name in the trace', 'Fields and their attributes'], marks),
  operations: markdownTable(['Operation', 'Fields and their attributes'], calls),
};
