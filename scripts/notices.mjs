// What the licences of bundled packages ask for: that their text goes along.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The licence texts of all packages that a bundle holds, from esbuild's account of its inputs. */
export function thirdPartyNotices(root, metafile) {
  const folders = Object.keys(metafile.inputs).flatMap(
    (path) => path.match(/^.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0] ?? [],
  );
  const notices = [...new Set(folders)].sort().map((folder) => notice(join(root, folder)));
  return `The bundle holds the following packages.\n\n${notices.join(`\n${'-'.repeat(79)}\n\n`)}`;
}

function notice(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const files = existsSync(folder)
    ? readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file))
    : [];
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return `${name} ${version} (${license})\n\n${texts.join('\n\n') || `See the ${license} licence.`}\n`;
}
