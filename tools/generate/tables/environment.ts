import type { Settings } from '../../../src/common/setting.ts';
import { code, codes, markdownTable, prose } from '../markdown.ts';

/** Environment variables as Markdown: those a variable falls back on are named after it, in the order they are read. */
export function environmentTable(settings: Settings): string {
  const rows = Object.values(settings).map(({ variable, fallbacks, defaultText, description }) => [
    codes([variable, ...fallbacks], ', else '),
    code(defaultText),
    prose(description),
  ]);
  return markdownTable(['Variable', 'Default', 'Description'], rows);
}
