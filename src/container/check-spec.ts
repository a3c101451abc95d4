/** Refuses what no engine can handle, once and with the remedy, before an engine's parser would. */
import { lstatSync } from 'node:fs';
import { isAbsolute, normalize, relative } from 'node:path';
import { type ContainerSpec, EngineFailed, type Mount, type SpawnSpec } from './container.ts';

/** Names with spaces, commas, colons, quotes and line feeds are fine; argument lists cannot hold a NUL. */
export function checkMounts(spec: ContainerSpec): void {
  spec.mounts.forEach((mount, i) => {
    checkPath(mount.source, 'The source of a mount');
    checkPath(mount.target, 'The target of a mount');
    if (mount.target === '/')
      throw refused(mount.target, 'is the root of the container', 'Choose a folder below it');
    if (!exists(mount.source)) {
      throw refused(
        mount.source,
        'is to be mounted and does not exist',
        'Create it, or correct container.mounts',
      );
    }
    if (mount.over !== undefined) checkOverlay(mount, mount.over);
    const around = spec.mounts
      .slice(0, i)
      .filter((m) => m.access === 'write' && isBelow(m.target, mount.target));
    for (const outer of around) checkNoLinks(outer, mount);
  });
}

function checkOverlay(mount: Mount, over: NonNullable<Mount['over']>): void {
  for (const path of [over.upper, over.work, over.merged]) {
    checkPath(path, 'A folder of an overlay');
    if (!exists(path)) throw refused(path, 'is part of an overlay and does not exist', 'Create it');
  }
  if (mount.access === 'read') {
    throw refused(mount.target, 'is an overlay that cannot be written', 'Mount its source read-only instead');
  }
}

export function checkSpawn(spec: SpawnSpec): void {
  checkPath(spec.cwd, 'The working folder');
  for (const text of [spec.command, ...spec.args]) {
    if (text.includes('\0')) throw refused(text, 'holds a NUL', 'Leave it out');
  }
  for (const [name, value] of Object.entries(spec.env)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || value.includes('\0')) {
      throw refused(
        name,
        'is no variable that a shell could hold',
        'Rename it to letters, digits and underscores',
      );
    }
  }
  if (spec.lockFile !== null) checkPath(spec.lockFile, 'The lock file');
}

function checkPath(path: string, what: string): void {
  if (isAbsolute(path) && !path.includes('\0') && normalize(path) === path) return;
  throw refused(
    path,
    `(${what.toLowerCase()}) is no plain absolute path`,
    'Write it out, without "..", "//" or "." in it',
  );
}

/**
 * The agent can write in the outer mount. A link there, on the way to the inner mount, could make the engine create the
 * missing mount point outside. Nothing of this conversation runs while a container starts.
 */
function checkNoLinks(outer: Mount, inner: Mount): void {
  let path = outer.source;
  for (const part of relative(outer.target, inner.target).split('/')) {
    path = `${path}/${part}`;
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return;
    // guard: container: links on the way to a mount
    if (found.isSymbolicLink()) {
      throw refused(
        path,
        `is a link on the way to the mount ${inner.target}`,
        'Remove the link from the checkout',
      );
    }
  }
}

function isBelow(outer: string, inner: string): boolean {
  return inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`);
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function refused(what: string, why: string, remedy: string): EngineFailed {
  return new EngineFailed(`${JSON.stringify(what)} ${why}.`, `${remedy}.`);
}
