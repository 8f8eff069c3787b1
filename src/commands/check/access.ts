import type { ParseResult } from '../../common/setting.ts';
import { integer } from '../../common/setting-kinds.ts';
import { modeText } from '../../snapshot/read-errors.ts';

/** The file, or a directory of its path. */
export interface PathComponent {
  readonly path: string;
  readonly kind: 'directory' | 'file';
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
}

/** The user and groups that read the file. */
export interface FileReader {
  readonly uid: number;
  readonly gids: readonly number[];
}

/** The user of the image. */
export const imageUserId = 65_532;
const largestId = 2 ** 32 - 2;

export const userId = integer(0, largestId);

/** Group IDs separated by commas. */
export function groupIds(text: string): ParseResult<readonly number[]> {
  const ids = text.split(',').map((it) => userId(it.trim()));
  const values = ids.flatMap((it) => (it.status === 'ok' ? [it.value] : []));
  return values.length === ids.length
    ? { status: 'ok', value: values }
    : { status: 'invalid', expected: 'whole numbers, separated by commas' };
}

export type Access =
  | { readonly status: 'readable' }
  | { readonly status: 'closed'; readonly component: PathComponent; readonly message: string }
  /** The file does not exist. */
  | { readonly status: 'unknown' };

const readBit = 4;
const searchBit = 1;

/**
 * Whether a user may read a file, by owner and mode of each component of its path. Reports the first component that
 * denies access. Access control lists, which few volumes have, are not evaluated.
 */
export function checkAccess(pathComponents: readonly PathComponent[], reader: FileReader): Access {
  const closed = pathComponents.find((component) => !canAccess(component, reader));
  if (closed !== undefined)
    return { status: 'closed', component: closed, message: permissionDenied(closed, reader) };
  return pathComponents.at(-1)?.kind === 'file' ? { status: 'readable' } : { status: 'unknown' };
}

/**
 * Source: POSIX, file access permissions. The first class that the process belongs to decides, even if a later one
 * grants more.
 */
function canAccess({ kind, uid, gid, mode }: PathComponent, reader: FileReader): boolean {
  if (reader.uid === 0) return true;
  const shift = reader.uid === uid ? 6 : reader.gids.includes(gid) ? 3 : 0;
  return ((mode >> shift) & (kind === 'file' ? readBit : searchBit)) !== 0;
}

function permissionDenied(component: PathComponent, { uid }: FileReader): string {
  const { path, kind } = component;
  const owner = `uid ${component.uid}, gid ${component.gid}, mode ${modeText(component.mode)}`;
  return kind === 'file'
    ? `Permission denied: the bridge (uid ${uid}) cannot read the file. ${path} is owned by ${owner}. The writer must set mode 0644 before the rename: os.chmod(temporary, 0o644). Python's mkstemp creates files with mode 0600, whatever the umask. fsGroup alone does not help; with mode 0640 it does.`
    : `Permission denied: the bridge (uid ${uid}) cannot enter the directory. ${path} is owned by ${owner}. Set its mode to 0755, or give the pod an fsGroup.`;
}
