import type { Settings } from '../../../src/common/setting.ts';
import { code, codes, markdownTable, prose } from '../markdown.ts';

/** Environment variables as Markdown. Fallbacks follow the name of their variable, in the order they are read. */
export function environmentTable(settings: Settings): string {
  const rows = Object.values(settings).map(({ variable, fallbacks, defaultText, description }) => [
    codes([variable, ...fallbacks], ', else '),
    code(defaultText),
    prose(description),
  ]);
  return markdownTable(['Variable', 'Default', 'Description'], rows);
}
