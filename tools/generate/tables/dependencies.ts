import { readFileSync } from 'node:fs';
import { markdownTable } from '../markdown.ts';

/** The members of an entry of package-lock.json that are read here. */
interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly hasInstallScript?: boolean;
}

interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** The number of packages, from package-lock.json. Packages for other platforms are included. */
export function dependenciesTable(lockfile: Lockfile = readLockfile()): string {
  const root = lockfile.packages[''];
  const packages = Object.entries(lockfile.packages).filter(([folder]) => folder.includes('node_modules/'));
  const isOfUsers = (it: LockedPackage) => !it.dev && !it.optional && !it.devOptional;
  const row = (what: string, direct: number, isMeant: (it: LockedPackage) => boolean) => {
    const meant = packages.filter(([, it]) => isMeant(it));
    const scripted = meant.filter(([, it]) => it.hasInstallScript).map(([folder]) => nameOf(folder));
    return [what, String(direct), String(meant.length), scripted.join(', ') || 'none'];
  };
  const count = (dependencies = {}) => Object.keys(dependencies).length;
  return markdownTable(
    ['Packages', 'Direct', 'Total', 'With an install script (not run)'],
    [
      row('In the bundle', count(root?.dependencies), isOfUsers),
      row('Development, and Node for older machines', count(root?.devDependencies), (it) => !isOfUsers(it)),
    ],
  );
}

const nameOf = (folder: string) => folder.replace(/^.*node_modules\//, '');

const readLockfile = (): Lockfile =>
  JSON.parse(readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8'));
