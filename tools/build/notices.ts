// The licence texts of the bundled packages, which their licences require to be distributed with them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BundledPackage } from './packages.ts';

/** The licence texts of the packages from `bundledPackages`. */
export function thirdPartyNotices(root: string, packages: readonly BundledPackage[]): string {
  const notices = packages.map((it) => notice(join(root, it.folder), it));
  return `The bundle contains the following packages.\n\n${notices.join(`\n${'-'.repeat(79)}\n\n`)}`;
}

function notice(folder: string, { name, version, license }: BundledPackage): string {
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file));
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return `${name} ${version} (${license})\n\n${texts.join('\n\n') || `See the ${license} licence.`}\n`;
}
