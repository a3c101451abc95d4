/** Where the agent works: its branch, what that is for, and what its checkout stands on. */
import { relayInside } from '../../container/place.ts';
import { ForgeMissing } from '../../errors.ts';
import { cloneAddress } from '../../forges/clone-address.ts';
import type { Item } from '../../forges/forge.ts';
import { kitOf } from '../../forges/registry.ts';
import type { EventRepository, RepositoryRef } from '../../vocabulary.ts';
import type { Checkout, CheckoutSpec } from '../../workdir.ts';
import type { Dispatch, DispatchDeps } from '../dispatch.ts';
import { isSelf } from '../own-account.ts';
import { contentsOf } from './contents.ts';
import { type OpenPull, stackParent } from './stack.ts';

export interface WorkBranch {
  name: string;
  base: string;
  /** first part of the names of branches that are the agent's own */
  prefix: string;
  /** whether a pull request is to be opened for it where there is none */
  opensPull: boolean;
}

/** The checkout that is prepared, and what it is for. */
export interface Placed {
  checkout: Checkout;
  /** the pull request whose commits stand in the checkout; null = none */
  checkedOut: Item | null;
  /** who commits */
  identity: { name: string; email: string };
  /** the branch to push to; null when the work has nowhere to go (a fork's pull request) */
  branch: WorkBranch | null;
  /** numbers of the items that belong to the conversation */
  joined: readonly number[];
}

interface Question {
  repository: EventRepository;
  /** of the leading message */
  item: Item;
  joined: readonly number[];
}

type PlaceDeps = Pick<DispatchDeps, 'workdir' | 'runner' | 'config' | 'trust' | 'database' | 'now'>;

export async function placeCheckout(
  dispatch: Dispatch,
  deps: PlaceDeps,
  question: Question,
): Promise<Placed> {
  const where = await checkoutSpec(dispatch, deps, question);
  const checkout = await deps.workdir.prepare(where.spec);
  return {
    checkout: { ...checkout, notes: [...where.notes, ...checkout.notes] },
    checkedOut: where.checkedOut,
    identity: where.spec.identity,
    branch: settledBranch(where, checkout, dispatch.agent.branchPrefix),
    joined: question.joined,
  };
}

/** The name that the forge can have beside its branches is known once the mirror was fetched. */
function settledBranch(
  { spec, branch }: Where,
  checkout: Pick<Checkout, 'workBranch'>,
  prefix: string,
): WorkBranch | null {
  if (branch === null || spec.at.kind !== 'branch') return null;
  const name = checkout.workBranch ?? spec.at.branch;
  const own = spec.at.otherwise?.includes(name) === true ? name.slice(0, name.lastIndexOf('/')) : prefix;
  return { name, prefix: own, ...branch };
}

interface Where {
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
async function checkoutSpec(dispatch: Dispatch, deps: PlaceDeps, question: Question): Promise<Where> {
  const { agent, forge, key } = dispatch;
  const { repository, item } = question;
  const { git } = deps.config();
  const publishes = agent.publish === 'pull-request';
  const { account, config } = forge;
  const common = {
    conversation: key.conversationId,
    relay: relayInside(deps.runner.engine),
    sign: git.signingKeyFile !== null,
    ...contentsOf({ forgeConfig: config, account, maxLfsBytes: git.maxLfsBytes }),
    configurationFromBase: false,
    repository: { id: repository.id, fullName: repository.fullName },
    // guard: clone: configured address, part 1
    remote: { url: cloneAddress(config.cloneUrl, repository.fullName), token: account.token },
    defaultBranch: repository.defaultBranch,
    identity: { name: account.login, email: await forge.read.commitAddress(account.login) },
  };
  if (dispatch.item.kind === 'issue') {
    const pulls = publishes ? await ownPulls(dispatch, deps, { ...question, known: [item] }) : [];
    const parent = await parentOf(dispatch, deps, { repository, item, pulls });
    const { at, notes } = ownBranch(dispatch, pulls, parent?.pull.headRef ?? repository.defaultBranch);
    if (parent !== null) notes.push(stackedNote(parent));
    const branch = publishes ? { base: at.base, opensPull: true } : null;
    return { spec: { ...common, at }, branch, checkedOut: null, notes };
  }
  const found = await pullOf(dispatch, repository, item);
  const pull = found.pull!;
  // What a pull request brings along must not instruct the agent that looks at it; its own is its own.
  // guard: trust: configuration of the base
  const configurationFromBase = !isSelf(dispatch, deps.trust)(found.author);
  if (publishes && pull.merged && !pull.fork) {
    const pulls = await ownPulls(dispatch, deps, { ...question, known: [item, found] });
    const { at, notes } = ownBranch(dispatch, pulls, pull.baseRef, found);
    const branch = { base: at.base, opensPull: true };
    return { spec: { ...common, configurationFromBase, at }, branch, checkedOut: found, notes };
  }
  const writable = publishes && !pull.fork && !pull.headRef.startsWith('refs/');
  if (writable) {
    const at = { kind: 'branch' as const, branch: pull.headRef, base: pull.baseRef };
    const branch = { base: pull.baseRef, opensPull: false };
    return { spec: { ...common, configurationFromBase, at }, branch, checkedOut: found, notes: [] };
  }
  const { number } = dispatch.item;
  const ref = kitOf(config.kind).pulls.ref(number);
  const at = { kind: 'pull' as const, number, ref, sha: pull.headSha, base: pull.baseRef };
  return { spec: { ...common, configurationFromBase, at }, branch: null, checkedOut: found, notes: [] };
}

/** A pull request that is there already knows what it goes into. */
async function parentOf(
  dispatch: Dispatch,
  deps: PlaceDeps,
  { repository, item, pulls }: { repository: EventRepository; item: Item; pulls: readonly OwnPull[] },
): Promise<OpenPull | null> {
  const isIssue = item.pull === null && item.number === dispatch.item.number;
  const hasOpen = pulls.some(({ state }) => state === 'open');
  if (!isIssue || hasOpen || dispatch.agent.publish !== 'pull-request') return null;
  return await stackParent(dispatch, deps, { repository, issue: item });
}

function stackedNote({ number, pull }: OpenPull): string {
  return `This issue is stacked on pull request #${number}: your branch starts from its branch ${pull.headRef}, and your pull request goes into that. Change nothing that belongs to #${number}; when it is merged, you are told to rebase.`;
}

type OwnPull = Item & { pull: NonNullable<Item['pull']> };

/** Pull requests of this conversation that the agent's own account opened, oldest first. */
async function ownPulls(
  dispatch: Dispatch,
  { trust }: PlaceDeps,
  { repository, joined, known }: Question & { known: readonly Item[] },
): Promise<OwnPull[]> {
  const items = await Promise.all(
    joined.map(
      async (number) =>
        known.find((one) => one.number === number) ??
        (await orNull(dispatch.forge.read.getItem(repository, number))),
    ),
  );
  return items
    .filter(
      (one): one is OwnPull =>
        one !== null && one.pull !== null && !one.pull.fork && isSelf(dispatch, trust)(one.author),
    )
    .toSorted((a, b) => a.number - b.number);
}

/**
 * An open pull request goes on, whatever its base is by now. A merged one is done with: what comes after it starts from
 * the base, on a branch of a new name, because the old commits may have been squashed.
 */
function ownBranch(
  { agent, item, lease }: Dispatch,
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
  const { number } = item;
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

async function pullOf(dispatch: Dispatch, repository: RepositoryRef, item: Item): Promise<Item> {
  const { number } = dispatch.item;
  return item.number === number && item.pull !== null
    ? item
    : await dispatch.forge.read.getItem(repository, number);
}
