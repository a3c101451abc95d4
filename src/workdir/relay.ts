/**
 * The relay of one dispatch. The agent writes `push.git` and `outbox`. No git of the worker ever runs in `push.git`,
 * and `outbox` is read file by file (`broker/git-outbox.ts`). Only the worker writes the rest.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PULL_FOLDERS } from '../forges/registry.ts';
import type { Git } from './git.ts';
import { type MirrorUse, OUR_PULLS } from './mirror.ts';
import { formatConfig, type ObjectFormat } from './object-format.ts';
import type { RelayFolders, RelayPaths } from './port.ts';
import { relayPrograms } from './relay-programs.ts';
import { removeTree } from './remove-tree.ts';

export function relayFolderOf(folder: string, conversation: string): string {
  return join(folder, 'relays', conversation.toLowerCase());
}

/** Replaces the relay of an earlier run, with everything that run left in it. */
export async function makeRelay(
  git: Git,
  o: { folder: string; conversation: string; mirror: Pick<MirrorUse, 'path' | 'format'>; seen: RelayPaths },
): Promise<RelayFolders> {
  const root = relayFolderOf(o.folder, o.conversation);
  const fresh = `${root}.new`;
  await removeTree(fresh);
  for (const name of ['outbox', 'answers', 'incoming']) await mkdir(join(fresh, name), { recursive: true });
  await makePushRepository(join(fresh, 'push.git'), {
    config: pushConfig(o.seen, o.mirror.format),
    alternate: `${o.seen.origin}/objects`,
    refs: await publicRefs(git, o.mirror.path),
  });
  for (const [name, text] of Object.entries(relayPrograms(o.seen))) {
    const path = join(fresh, 'programs', name);
    await mkdir(dirname(path), { recursive: true });
    // The umask decides who may run it.
    await writeFile(path, text, { mode: 0o777 });
  }
  await removeTree(root);
  await rename(fresh, root);
  return { root, origin: o.mirror.path };
}

/** Lines of a packed-refs file: the forge's branches and tags, which only people with permission can push. */
async function publicRefs(git: Git, mirror: string): Promise<string> {
  return await packedRefs(git, mirror, ['refs/heads', 'refs/tags']);
}

/** All refs that the forge has, heads of pull requests included; not what other conversations handed over. */
export async function forgeRefs(git: Git, mirror: string): Promise<string> {
  return await packedRefs(git, mirror, ['refs/heads', 'refs/tags', ...PULL_FOLDERS, OUR_PULLS]);
}

async function packedRefs(git: Git, mirror: string, patterns: string[]): Promise<string> {
  const args = ['for-each-ref', '--format=%(objectname) %(refname)', ...patterns];
  const { stdout } = await git({ gitDir: mirror, args });
  return stdout === '' ? '' : `${stdout}\n`;
}

/** Made by hand: `git init` cannot know under which paths the agent will see it. */
async function makePushRepository(
  path: string,
  { config, alternate, refs }: { config: string; alternate: string; refs: string },
): Promise<void> {
  for (const name of ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags']) {
    await mkdir(join(path, name), { recursive: true });
  }
  await writeFile(join(path, 'HEAD'), 'ref: refs/heads/main\n');
  await writeFile(join(path, 'objects/info/alternates'), `${alternate}\n`);
  await writeFile(join(path, 'packed-refs'), refs);
  await writeFile(join(path, 'config'), config);
}

function pushConfig(seen: RelayPaths, format: ObjectFormat): string {
  const hooks = `${seen.root}/programs/hooks`.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return `${formatConfig(format, { bare: 'true', hooksPath: `"${hooks}"` })}[receive]
	autogc = false
	denyCurrentBranch = ignore
	denyDeleteCurrent = ignore
[gc]
	auto = 0
`;
}
