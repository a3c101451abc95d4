/**
 * One bare repository for each repository of a forge. Only we write it: agents read it (it is their `origin`), and
 * nothing of theirs is ever read as its configuration. It can be thrown away and cloned anew at any time.
 */
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PULL_FOLDERS } from '../forges/registry.ts';
import { KeyedMutex } from '../mutex.ts';
import { waitForLock } from '../state-lock.ts';
import { moveAside } from './aside.ts';
import { branchesFor } from './branches.ts';
import { GitCommandFailed, isDamage } from './failure.ts';
import type { Git } from './git.ts';
import { removeLocks } from './locks.ts';
import { folderKey } from './names.ts';
import { formatConfig, type ObjectFormat, objectFormatOf } from './object-format.ts';
import type { Remote, WorkdirOptions } from './port.ts';
import { type Address, parseRemote } from './remote.ts';

export interface MirrorUse {
  /** absolute path of the bare repository */
  path: string;
  address: Address;
  format: ObjectFormat;
  /** true when this call cloned it: it is up to date, and not at fault when something is broken */
  fresh: boolean;
}

const BRANCHES_AND_TAGS = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];

const WHOLE_EVERY_MS = 10 * 60_000;

/**
 * Where the heads of pull requests stand. Hidden from agents: anybody may open a pull request, and a session that fetched
 * one of another conversation would have a stranger's files without being marked. (What a conversation is about, its
 * checkout has under the forge's own name for it.)
 */
export const OUR_PULLS = 'refs/claude-hooks/pull';

export function pullRef(number: number): string {
  return `${OUR_PULLS}/${number}/head`;
}

/** A pull request, with the forge's name for its head. */
export interface PullHead {
  number: number;
  ref: string;
}

/** A ref of the forge, and its name in the mirror. */
interface Fetched {
  theirs: string;
  ours: string;
}

// Commits may be asked for by id, because a pull request's commit may be on no branch any more. What conversations
// handed over is hidden from all others.
const HIDDEN = ['refs/claude-hooks', ...PULL_FOLDERS].map((folder) => `\thideRefs = ${folder}\n`).join('');
const SERVED =
  // guard: marks: heads of pull requests
  `[uploadpack]\n\tallowAnySHA1InWant = true\n${HIDDEN}`;

// Pushes are refused: an agent that pushes to its origin would believe that its work is on the forge.
const REFUSE_PUSH = `#!/bin/sh
echo "This repository is a read-only mirror. Push to origin, whose push URL is the relay." >&2
exit 1
`;

export class Mirrors {
  readonly #folder: string;
  readonly #locksFolder: string;
  readonly #git: Git;
  readonly #log: NonNullable<WorkdirOptions['log']>;
  readonly #network: WorkdirOptions['network'];
  readonly #locks = new KeyedMutex();
  /** when all branches of a mirror were last fetched, by its path */
  readonly #whole = new Map<string, number>();

  constructor(options: WorkdirOptions, git: Git) {
    this.#folder = join(options.folder, 'mirrors');
    this.#locksFolder = join(options.folder, 'mirror-locks');
    this.#git = git;
    this.#network = options.network;
    this.#log = options.log ?? (() => {});
  }

  /**
   * Runs `work` while nobody else uses this mirror. Where it fails because a repository is broken, it is repeated once
   * without stale locks (if there were any) and once on a mirror cloned anew. So `work` must be repeatable.
   */
  async use<T>(repositoryId: string, remote: Remote, work: (use: MirrorUse) => Promise<T>): Promise<T> {
    const address = parseRemote(remote, this.#network);
    const path = join(this.#folder, `${folderKey(repositoryId, `${repositoryId}\n${address.origin}`)}.git`);
    return await this.#alone(path, async () => {
      const fresh = !(await exists(path));
      if (fresh) await this.#create(path, address);
      const at = async () => ({ path, address, format: await objectFormatOf(path) });
      try {
        return await work({ ...(await at()), fresh });
      } catch (error) {
        if (fresh || !isDamage(error)) throw error;
        if (!(await removeLocks(path))) return this.#heal(path, address, error, work);
        this.#log('removed stale locks from a mirror', { mirror: path, error: String(error) });
      }
      try {
        return await work({ ...(await at()), fresh });
      } catch (error) {
        if (!isDamage(error)) throw error;
        return this.#heal(path, address, error, work);
      }
    });
  }

  /** In this process one after another; from other processes, such as that of somebody attached, by a kernel lock. */
  async #alone<T>(path: string, work: () => Promise<T>): Promise<T> {
    return await this.#locks.hold(path, async () => {
      await mkdir(this.#locksFolder, { recursive: true });
      // guard: mirror: one process at a time
      const lock = await waitForLock(join(this.#locksFolder, basename(path)));
      try {
        return await work();
      } finally {
        lock.release();
      }
    });
  }

  async #heal<T>(
    path: string,
    address: Address,
    why: unknown,
    work: (use: MirrorUse) => Promise<T>,
  ): Promise<T> {
    const aside = (await exists(path))
      ? await moveAside(path, `${path.slice(this.#folder.length + 1)}.broken-`, 1)
      : null;
    this.#log('a mirror is broken and is cloned anew', { mirror: path, aside, error: String(why) });
    await this.#create(path, address);
    return work({ path, address, format: await objectFormatOf(path), fresh: true });
  }

  /**
   * Forgets what a conversation pushed through the mirror of this name; git's next collection removes the objects.
   */
  async forget(name: string, refs: string[]): Promise<void> {
    const path = join(this.#folder, name);
    await this.#alone(path, async () => {
      if (!(await exists(path))) return;
      for (const ref of refs) {
        await this.#git({ gitDir: path, args: ['update-ref', '-d', ref], answers: [0, 1, 128] });
      }
    });
  }

  /**
   * Brings branches and tags up to date, and the head of a pull request where asked for. Where there are very many
   * branches, only the named ones are fetched each time, and the others every ten minutes.
   */
  async refresh(
    use: MirrorUse,
    { pull, names }: { pull: PullHead | null; names: readonly string[] },
  ): Promise<void> {
    if (use.fresh && pull === null) return;
    const pulls = pull === null ? [] : [{ theirs: pull.ref, ours: pullRef(pull.number) }];
    const branches = await branchesFor(use.path, names);
    const lately = Date.now() - (this.#whole.get(use.path) ?? 0) < WHOLE_EVERY_MS;
    if (branches.kind === 'named' && lately) {
      return await this.#refreshNamed(use, [
        ...branches.names.map((name) => ({ theirs: `refs/heads/${name}`, ours: `refs/heads/${name}` })),
        ...pulls,
      ]);
    }
    try {
      await fetchInto(this.#git, use, [...BRANCHES_AND_TAGS, ...pulls.map(refspec)]);
    } catch (error) {
      const noSuchPull = pull !== null && error instanceof GitCommandFailed && error.kind === 'refused';
      if (!noSuchPull) throw error;
      await fetchInto(this.#git, use, BRANCHES_AND_TAGS);
    }
    this.#whole.set(use.path, Date.now());
  }

  /** Asks first which refs exist: when one of them is missing, git fetches none of the others. */
  async #refreshNamed(use: MirrorUse, refs: readonly Fetched[]): Promise<void> {
    const { path: gitDir, address } = use;
    const args = ['ls-remote', '--refs', '--', address.url, ...refs.map(({ theirs }) => theirs)];
    const { stdout } = await this.#git({ gitDir, args, remote: address });
    // ls-remote also lists refs whose name only ends like this.
    const listed = new Set(stdout.split('\n').map((line) => line.slice(line.indexOf('\t') + 1)));
    const there = refs.filter(({ theirs }) => listed.has(theirs));
    if (there.length > 0) await fetchInto(this.#git, use, there.map(refspec));
    for (const { ours } of refs.filter(({ theirs }) => !listed.has(theirs))) {
      await this.#git({ gitDir, args: ['update-ref', '-d', ours] });
    }
  }

  /** Makes `sha` present if the forge still has it; false when not. */
  async fetchCommit(use: MirrorUse, sha: string): Promise<boolean> {
    if (await this.commit(use.path, sha)) return true;
    try {
      await fetchInto(this.#git, use, [sha]);
    } catch (error) {
      if (error instanceof GitCommandFailed && error.kind === 'refused') return false;
      throw error;
    }
    return (await this.commit(use.path, sha)) !== null;
  }

  /**
   * The commit of a full ref in the mirror, or null where there is no such ref. A ref that leads nowhere is damage.
   */
  async head(path: string, ref: string): Promise<string | null> {
    const format = '--format=%(refname) %(objectname) %(objecttype)';
    const { stdout } = await this.#git({ gitDir: path, args: ['for-each-ref', format, ref] });
    // The pattern also matches refs below this name.
    const line = stdout.split('\n').find((l) => l.startsWith(`${ref} `));
    return line?.split(' ')[1] ?? null;
  }

  /** A branch below this name, such as `a/b` for `a`; null = there is none. */
  async firstBelow(path: string, branch: string): Promise<string | null> {
    const args = ['for-each-ref', '--count=1', '--format=%(refname:lstrip=2)', `refs/heads/${branch}/`];
    const { stdout } = await this.#git({ gitDir: path, args });
    return stdout === '' ? null : stdout;
  }

  /** The commit that an id names in the mirror, or null. */
  async commit(path: string, name: string): Promise<string | null> {
    const args = ['rev-parse', '--verify', '--quiet', `${name}^{commit}`];
    const answer = await this.#git({ gitDir: path, args, answers: [0, 1] });
    return answer.exitCode === 0 ? answer.stdout : null;
  }

  async #create(path: string, address: Address): Promise<void> {
    const fresh = `${path}.new`;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(this.#folder, { recursive: true });
    // A clone writes all refs into one file; a fetch would write a file for each, which takes 13 s more at 30,000
    // branches.
    const options = ['--quiet', '--bare', '--no-local', '--template='];
    try {
      const args = ['clone', ...options, '--', address.url, fresh];
      await this.#git({ gitDir: null, args, remote: address });
      const config = formatConfig(await objectFormatOf(fresh), { bare: 'true' });
      await writeFile(join(fresh, 'config'), `${config}${SERVED}`);
      await mkdir(join(fresh, 'hooks'), { recursive: true });
      await writeFile(join(fresh, 'hooks', 'pre-receive'), REFUSE_PUSH, { mode: 0o777 });
      await rename(fresh, path);
      this.#whole.set(path, Date.now());
    } catch (error) {
      await rm(fresh, { recursive: true, force: true });
      throw error;
    }
  }
}

function refspec({ theirs, ours }: Fetched): string {
  return `+${theirs}:${ours}`;
}

/** A refspec without a colon fetches the commit and makes no ref for it. */
export async function fetchInto(
  git: Git,
  use: Pick<MirrorUse, 'path' | 'address'>,
  refspecs: string[],
): Promise<void> {
  const prune = refspecs.some((r) => r.includes('*')) ? ['--prune'] : [];
  const options = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', ...prune];
  const args = ['fetch', ...options, '--', use.address.url, ...refspecs];
  await git({ gitDir: use.path, args, remote: use.address });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
