/**
 * Overlays for bubblewrap: it gets a mount namespace with them in it, so that they go with its last process, however that
 * ends. All of this is `exec`: the processes below us stay the same.
 */
import type { Mount } from './container.ts';

export interface OverlayTools {
  /** absolute paths of util-linux `unshare` and `mount` */
  unshare: string;
  mount: string;
}

type Over = Required<Pick<Mount, 'source' | 'over'>>;

const MOUNT_ALL = (count: number) =>
  `for n in ${Array.from({ length: count }, (_, n) => n).join(' ')}; do "$0" -t overlay overlay -o "$1" "$2" || exit 125; shift 2; done; exec "$@"`;

/**
 * What comes before `bwrap` on its command line. Somebody who is not root mounts in a user namespace, as its root; the kernel
 * allows overlays there since 5.11, with marks of their own and without renames of folders of the layer: a program that
 * renames one is told EXDEV and copies, as in an image of docker.
 */
export function overlayPrefix(over: readonly Over[], tools: OverlayTools, o: { isRoot: boolean }): string[] {
  if (over.length === 0) return [];
  const namespaces = [...(o.isRoot ? [] : ['--user', '--map-root-user']), '--mount'];
  // With `redirect_dir` a folder of the layer can be renamed, as package managers do.
  const option = o.isRoot ? 'redirect_dir=on' : 'userxattr';
  return [
    ...[tools.unshare, ...namespaces, '--propagation', 'private'],
    ...['/bin/sh', '-c', MOUNT_ALL(over.length), tools.mount],
    ...over.flatMap(({ source, over: { upper, work, merged } }) => [
      `lowerdir=${source},upperdir=${upper},workdir=${work},${option}`,
      merged,
    ]),
  ];
}
