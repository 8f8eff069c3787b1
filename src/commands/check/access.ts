/** A folder on the way to the file, or the file itself. */
export interface AccessPath {
  readonly path: string;
  readonly kind: 'folder' | 'file';
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
}

/** Who wants to read. */
export interface Reader {
  readonly uid: number;
  readonly gids: readonly number[];
}

export type Access =
  | { readonly status: 'readable' }
  | { readonly status: 'closed'; readonly place: AccessPath; readonly message: string }
  /** Nothing is there to be asked. */
  | { readonly status: 'unknown' };

const readBit = 4;
const searchBit = 1;

/**
 * Whether a user may read a file, by owners and modes of the folders on the way and of the file: the first that does
 * not let them through is named. Access control lists, which few volumes have, are not looked at.
 */
export function accessOf(way: readonly AccessPath[], reader: Reader): Access {
  const closed = way.find((place) => !lets(place, reader));
  if (closed !== undefined) return { status: 'closed', place: closed, message: explain(closed, reader) };
  return way.at(-1)?.kind === 'file' ? { status: 'readable' } : { status: 'unknown' };
}

/** Source: POSIX, file access permissions: the first class a process is in decides, even where a later one gives more. */
function lets({ kind, uid, gid, mode }: AccessPath, reader: Reader): boolean {
  if (reader.uid === 0) return true;
  const shift = reader.uid === uid ? 6 : reader.gids.includes(gid) ? 3 : 0;
  return ((mode >> shift) & (kind === 'file' ? readBit : searchBit)) !== 0;
}

export const ownerText = ({ uid, gid, mode }: AccessPath) => `uid ${uid}, gid ${gid}, mode ${modeText(mode)}`;

export const modeText = (mode: number) => (mode & 0o7777).toString(8).padStart(4, '0');

function explain(place: AccessPath, { uid }: Reader): string {
  const owned = `${place.path} belongs to ${ownerText(place)}`;
  return place.kind === 'file'
    ? `The bridge, uid ${uid}, may not read the file: ${owned}. The writer has to open it to others: os.chmod(path, 0o644) before the rename (tempfile makes 0600), umask 022, or an fsGroup for the pod and mode 0640.`
    : `The bridge, uid ${uid}, may not pass the folder: ${owned}. Give it mode 0755, or the pod an fsGroup.`;
}
