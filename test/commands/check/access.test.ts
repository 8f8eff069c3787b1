import { describe, expect, it } from 'vitest';
import { checkAccess, type FileReader, type PathComponent } from '../../../src/commands/check/access.ts';

const folder = (mode: number, uid = 1000, gid = 1000): PathComponent => ({
  path: '/shared',
  kind: 'directory',
  uid,
  gid,
  mode,
});
const file = (mode: number, uid = 1000, gid = 1000): PathComponent => ({
  path: '/shared/current.json',
  kind: 'file',
  uid,
  gid,
  mode,
});
const bridge: FileReader = { uid: 65_532, gids: [65_532] };

describe('the bridge may read', () => {
  it.each([
    ['what all may', folder(0o755), file(0o644), bridge],
    ['what its group may', folder(0o750), file(0o640), { uid: 65_532, gids: [65_532, 1000] }],
    ['its own', folder(0o700, 65_532), file(0o600, 65_532), bridge],
    ['in a folder it may pass though not list', folder(0o711), file(0o644), bridge],
    ['anything as root', folder(0o000), file(0o000), { uid: 0, gids: [0] }],
  ])('%s', (_name, parent, child, reader) => {
    expect(checkAccess([parent, child], reader)).toEqual({ status: 'readable' });
  });
});

describe('the bridge may not read', () => {
  it.each([
    [
      'a private file',
      folder(0o755),
      file(0o600),
      bridge,
      '/shared/current.json is owned by uid 1000, gid 1000, mode 0600',
    ],
    [
      'a folder it may list but not pass',
      folder(0o744),
      file(0o644),
      bridge,
      '/shared is owned by uid 1000, gid 1000, mode 0744',
    ],
    [
      'its own that is closed to itself, though open to others',
      folder(0o755),
      file(0o044, 65_532),
      bridge,
      'mode 0044',
    ],
    [
      "its group's that is closed to the group, though open to others",
      folder(0o755),
      file(0o604, 0, 65_532),
      bridge,
      'mode 0604',
    ],
  ])('%s', (_name, parent, child, reader, message) => {
    const access = checkAccess([parent, child], reader);
    expect(access).toMatchObject({ status: 'closed', message: expect.stringContaining(message) });
  });

  it('a private file, until its writer does what the log and the documents say, too', () => {
    const access = checkAccess([folder(0o755), file(0o600)], bridge);
    expect(access).toMatchObject({
      message: expect.stringContaining('The writer must set mode 0644 before the rename'),
    });
    expect(access).toMatchObject({ message: expect.stringContaining('fsGroup alone does not help') });
    expect(checkAccess([folder(0o755), file(0o644)], bridge)).toEqual({ status: 'readable' });
  });

  it('what is not there, nor say that it may', () => {
    expect(checkAccess([folder(0o755)], bridge)).toEqual({ status: 'unknown' });
  });
});
