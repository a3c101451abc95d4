/** Where the agent works: its branch, what that is for, and what its checkout stands on. */
import { ForgeMissing } from '../../errors.ts';
import { cloneAddress } from '../../forges/clone-address.ts';
import type { Item } from '../../forges/forge.ts';
import type { RepositoryRef } from '../../vocabulary.ts';
import type { CheckoutSpec } from '../../workdir.ts';
import { isSelf } from '../own-account.ts';
import { contentsOf } from './contents.ts';
import type { ContextRequest, DispatchContext } from './gathered.ts';

/** What a dispatch works on. */
export interface Where {
  spec: CheckoutSpec;
  /** the branch to push to, before its name is settled; null when the work has nowhere to go */
  branch: { base: string; opensPull: boolean } | null;
  checkedOut: Item | null;
  /** sentences for the agent */
  notes: string[];
}

/**
 * Where the agent works. One that publishes pull requests has a branch of its own for an issue, and works on the
 * pull request's own branch when the conversation began there. All others look at the pull request's head.
 */
export async function checkoutSpec(
  request: ContextRequest,
  repository: DispatchContext['repository'],
  item: Item,
): Promise<Where> {
  const { agent, account, lease } = request;
  const publishes = agent.publish === 'pull-request';
  const common = {
    conversation: lease.conversation.id,
    relay: request.relay(lease.conversation.id),
    sign: request.sign,
    ...contentsOf(request),
    configurationFromBase: false,
    repository: { id: repository.id, fullName: repository.fullName },
    // guard: clone: configured address, part 1
    remote: { url: cloneAddress(request.forgeConfig.cloneUrl, repository.fullName), token: account.token },
    defaultBranch: repository.defaultBranch,
    identity: { name: account.login, email: await request.forge.commitAddress(account.login) },
  };
  if (lease.conversation.item_kind === 'issue') {
    const pulls = publishes ? await ownPulls(request, repository, [item]) : [];
    const { at, notes } = ownBranch(request, pulls, repository.defaultBranch);
    const branch = publishes ? { base: at.base, opensPull: true } : null;
    return { spec: { ...common, at }, branch, checkedOut: null, notes };
  }
  const found = await pullOf(request, repository, item);
  const pull = found.pull!;
  // What a pull request brings along must not instruct the agent that looks at it; its own is its own.
  // guard: trust: configuration of the base
  const configurationFromBase = !isSelf(request, request.trust)(found.author);
  if (publishes && pull.merged && !pull.fork) {
    const pulls = await ownPulls(request, repository, [item, found]);
    const { at, notes } = ownBranch(request, pulls, pull.baseRef, found);
    const branch = { base: at.base, opensPull: true };
    return { spec: { ...common, configurationFromBase, at }, branch, checkedOut: found, notes };
  }
  const writable = publishes && !pull.fork && !pull.headRef.startsWith('refs/');
  if (writable) {
    const at = { kind: 'branch' as const, branch: pull.headRef, base: pull.baseRef };
    const branch = { base: pull.baseRef, opensPull: false };
    return { spec: { ...common, configurationFromBase, at }, branch, checkedOut: found, notes: [] };
  }
  const number = lease.conversation.item_number;
  const at = { kind: 'pull' as const, number, sha: pull.headSha, base: pull.baseRef };
  return { spec: { ...common, configurationFromBase, at }, branch: null, checkedOut: found, notes: [] };
}

type OwnPull = Item & { pull: NonNullable<Item['pull']> };

/** Pull requests of this conversation that the agent's own account opened, oldest first. */
async function ownPulls(
  request: ContextRequest,
  repository: RepositoryRef,
  known: readonly Item[],
): Promise<OwnPull[]> {
  const numbers = await request.joined();
  const items = await Promise.all(
    numbers.map(
      async (number) =>
        known.find((one) => one.number === number) ??
        (await orNull(request.forge.getItem(repository, number))),
    ),
  );
  return items
    .filter(
      (one): one is OwnPull =>
        one !== null && one.pull !== null && !one.pull.fork && isSelf(request, request.trust)(one.author),
    )
    .toSorted((a, b) => a.number - b.number);
}

/**
 * An open pull request goes on, whatever its base is by now. A merged one is done with: what comes after it starts from
 * the base, on a branch of a new name, because the old commits may have been squashed.
 */
function ownBranch(
  { agent, lease }: ContextRequest,
  pulls: readonly OwnPull[],
  base: string,
  begun: Item | null = null,
): { at: CheckoutSpec['at'] & { kind: 'branch'; base: string }; notes: string[] } {
  const open = pulls.findLast(({ state }) => state === 'open');
  if (open !== undefined) {
    const { headRef, baseRef } = open.pull;
    const isElsewhere = baseRef !== base;
    const notes = isElsewhere
      ? [
          `Pull request #${open.number} goes into ${baseRef}, so your work is for ${baseRef} and not for ${base}.`,
        ]
      : [];
    return { at: { kind: 'branch', branch: headRef, base: baseRef }, notes };
  }
  const merged = [...(begun === null ? [] : [begun]), ...pulls].filter(
    (one, index, all) => one.pull!.merged && all.findIndex(({ number }) => number === one.number) === index,
  );
  const number = lease.conversation.item_number;
  const rounds = pulls.filter(({ pull, number: n }) => pull.merged && n !== begun?.number).length;
  // guard: branches: after a merge
  const last = rounds === 0 ? `${number}` : `${number}-${rounds + 1}`;
  const { branch: known } = lease.conversation;
  const names = [agent.branchPrefix, ...otherPrefixes(agent.branchPrefix)].map(
    (prefix) => `${prefix}/${last}`,
  );
  // What was chosen when a name was taken stays, also when that is free again.
  const chosen =
    known !== null && names.includes(known) ? [known, ...names.filter((n) => n !== known)] : names;
  const [branch, ...otherwise] = chosen as [string, ...string[]];
  const done = merged.at(-1);
  const notes =
    done === undefined
      ? []
      : [
          `Pull request #${done.number} was merged into ${done.pull!.baseRef} (its last commit was ${done.pull!.headSha.slice(0, 10)}), so its branch is done with. What you do now starts from ${base}, on a branch of a new name, and becomes a pull request of its own.`,
        ];
  const at = { kind: 'branch' as const, branch, base, otherwise };
  return { at, notes };
}

/** Git has no branch `dev/1` beside a branch `dev`. */
function otherPrefixes(prefix: string): string[] {
  const flat = prefix.replaceAll('/', '-');
  return [`${flat}-work`, `${flat}-agent`];
}

/** One that was deleted since is none. */
async function orNull(reading: Promise<Item>): Promise<Item | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ForgeMissing) return null;
    throw error;
  }
}

async function pullOf(request: ContextRequest, repository: RepositoryRef, item: Item): Promise<Item> {
  const { item_number } = request.lease.conversation;
  return item.number === item_number && item.pull !== null
    ? item
    : await request.forge.getItem(repository, item_number);
}
