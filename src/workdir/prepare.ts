import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { moveAside } from './aside.ts';
import { type Branches, branchesFor, branchNote } from './branches.ts';
import { CheckoutBroken, createCheckout, readStatus, refreshCheckout, type Status } from './checkout.ts';
import { giveConfigurationBack, takeBaseConfiguration } from './configuration.ts';
import { type CheckoutRecord, Control, readRecord } from './control.ts';
import { isDamage } from './failure.ts';
import type { Git } from './git.ts';
import { layOutLfs } from './lfs-checkout.ts';
import { removeLocks } from './locks.ts';
import type { Mirrors, MirrorUse } from './mirror.ts';
import {
  folderName,
  requireBranchName,
  requireConversation,
  requirePullNumber,
  requireSha,
} from './names.ts';
import type { Checkout, CheckoutSpec, RelayPaths, WorkdirOptions } from './port.ts';
import { position } from './position.ts';
import { makeRelay, relayFolderOf } from './relay.ts';
import { remoteHeadIn } from './rewritten.ts';
import { configureCheckout, settingsOf } from './settings.ts';
import { placeSubmodules } from './submodules.ts';
import { branchesOf, findTarget, type Target } from './target.ts';

export interface Tools {
  folder: string;
  git: Git;
  mirrors: Mirrors;
  log: NonNullable<WorkdirOptions['log']>;
}

/** Where the checkout should be, and which of the forge's branches it sees. */
interface Wanted {
  target: Target;
  branches: Branches;
}

/** The state of one `prepare`, kept when a broken mirror makes it start again. */
interface Preparation extends Tools {
  spec: CheckoutSpec;
  control: Control;
  record: CheckoutRecord | null;
  notes: string[];
}

export async function prepareCheckout(tools: Tools, spec: CheckoutSpec): Promise<Checkout> {
  requireNames(spec);
  const controlFolder = controlFolderOf(tools.folder, spec.conversation);
  const record = await readRecord(controlFolder);
  const home = checkoutsFolderOf(tools.folder, spec.conversation);
  const name = record?.folder ?? (await existingCheckout(home)) ?? folderName(spec.repository.fullName);
  const path = join(home, name);
  const p: Preparation = { ...tools, spec, control: new Control(controlFolder, path), record, notes: [] };
  const prepared = await tools.mirrors.use(spec.repository.id, spec.remote, async (use) => {
    const target = await findTarget(tools.mirrors, use, spec);
    if (target.kind === 'branch' && target.blockedBy !== null) p.notes.push(blockedNote(spec, target));
    const branches = await branchesFor(use.path, branchesOf(target));
    const { folder, git } = tools;
    const { conversation } = spec;
    // The relay comes before the checkout, whose files may come through the relay's filter for Git LFS.
    const relay = await makeRelay(git, { folder, conversation, mirror: use, seen: relayOf(p, use) });
    const { status, created } = await continueOrCreate(p, use, { target, branches });
    if (target.kind === 'pull' && target.sha !== target.wanted) {
      p.notes.push(
        `Commit ${target.wanted} is no longer on the forge (force-pushed); the checkout was made for the present head ${target.sha}.`,
      );
    }
    const detached = target.kind === 'pull' && status.headSha === target.sha && status.branch === null;
    await p.control.writeRecord({
      folder: name,
      mirror: basename(use.path),
      detachedAt: detached ? target.sha : (record?.detachedAt ?? null),
      format: use.format,
      bornDirty: created ? status.dirtyFiles.slice(0, MOST_BORN_DIRTY) : (record?.bornDirty ?? []),
    });
    let instructions: string[] | null = null;
    // guard: checkout: configuration from the base
    if (spec.configurationFromBase) {
      const taken = await takeBaseConfiguration(p, { mirror: use.path, baseSha: target.baseSha });
      p.notes.push(...taken.notes);
      instructions = taken.instructions;
    }
    p.notes.push(...(await layOutContents(p, use, status)));
    return {
      conversation: spec.conversation,
      repositoryId: spec.repository.id,
      path,
      branch: status.branch,
      headSha: status.headSha,
      workBranch: target.kind === 'branch' ? target.branch : null,
      baseSha: target.baseSha,
      notes: p.notes,
      instructions,
      created,
      relay,
    };
  });
  // Submodules are placed after the mirror was released: a fault of a submodule's mirror must not be taken for a fault
  // of this one.
  if (prepared.headSha !== '') {
    const { git, mirrors, control } = p;
    p.notes.push(...(await placeSubmodules({ git, mirrors, control, spec, commit: prepared.headSha })));
  }
  return prepared;
}

/** Contents in Git LFS, which a commit only names. */
async function layOutContents(p: Preparation, use: MirrorUse, { headSha }: Status): Promise<string[]> {
  if (headSha === '') return [];
  const { git, control, spec } = p;
  return await layOutLfs({ git, control, use, commit: headSha, wanted: spec.lfs });
}

const MOST_BORN_DIRTY = 1000;
function blockedNote(spec: CheckoutSpec, target: Target & { kind: 'branch' }): string {
  const wanted = spec.at.kind === 'branch' ? spec.at.branch : '';
  return `The forge has a branch called ${target.blockedBy}, so it can have none called ${wanted}: your branch is ${target.branch}.`;
}

/**
 * Waits for both even when one fails: the work is then repeated on a new mirror, and the other one must not still be
 * running.
 */
async function together<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return [await one, await other];
}

/** As the agent sees it. */
function relayOf(p: Preparation, use: MirrorUse): RelayPaths {
  return p.spec.relay ?? { root: relayFolderOf(p.folder, p.spec.conversation), origin: use.path };
}

export function controlFolderOf(folder: string, conversation: string): string {
  return join(folder, 'control', conversation.toLowerCase());
}

export function checkoutsFolderOf(folder: string, conversation: string): string {
  return join(folder, 'checkouts', conversation.toLowerCase());
}

async function continueOrCreate(
  p: Preparation,
  use: MirrorUse,
  { target, branches }: Wanted,
): Promise<{ status: Status; created: boolean }> {
  const path = p.control.checkout;
  const shape = await p.control.adopt(use.format);
  if (shape.kind === 'whole') {
    try {
      return { status: await continueCheckout(p, use, { target, branches }), created: false };
    } catch (error) {
      if (!(error instanceof CheckoutBroken)) throw error;
      await setAside(p, error.message);
    }
  } else if (shape.kind === 'broken') {
    await setAside(p, shape.reason);
  } else if (p.record !== null && p.notes.length === 0) {
    p.notes.push('The checkout was missing and was made anew; uncommitted work in it is lost.');
  }
  await createCheckout(p.git, use, {
    path,
    target,
    branches,
    settings: settingsOf(p.spec, relayOf(p, use)),
  });
  p.notes.push(...branchNote(branches));
  if (target.kind === 'branch' && target.remoteSha !== null) {
    p.notes.push(`Branch ${target.branch} was on the forge already; the checkout continues from it.`);
  }
  await p.control.adopt(use.format);
  return { status: await readStatus(p.git, p.control), created: true };
}

async function continueCheckout(p: Preparation, use: MirrorUse, wanted: Wanted): Promise<Status> {
  // The notes are kept apart until this has worked: when the checkout turns out to be broken, they no longer apply.
  const notes: string[] = [];
  await removeLocks(join(p.control.checkout, '.git'));
  await giveConfigurationBack(p).catch((error) => {
    throw isDamage(error) ? new CheckoutBroken(String(error)) : error;
  });
  const settings = settingsOf(p.spec, relayOf(p, use));
  // The worker's git reads its own configuration, so the agent's can be corrected at the same time.
  const [{ status, remoteBefore }, written] = await together(
    statusOnceFetched(p, use, wanted),
    configureCheckout(p.git, p.control.checkout, settings),
  );
  if (!written) notes.push('Git cannot read .git/config of the checkout; repair it first.');
  const { git, control } = p;
  const detachedAt = p.record?.detachedAt ?? null;
  const left = await position({ git, control, status, notes, detachedAt, remoteBefore }, wanted.target);
  p.notes.push(...notes);
  return left;
}

async function statusOnceFetched(
  p: Preparation,
  use: MirrorUse,
  wanted: Wanted,
): Promise<{ status: Status; remoteBefore: string | null }> {
  const status = await readStatus(p.git, p.control).catch((error) => {
    throw isDamage(error) ? new CheckoutBroken(String(error)) : error;
  });
  const { target } = wanted;
  const remoteBefore = target.kind === 'branch' ? await remoteHeadIn(p.git, p.control, target.branch) : null;
  await refreshCheckout(p.git, use, p.control, wanted);
  return { status, remoteBefore };
}

async function setAside(p: Preparation, reason: string): Promise<void> {
  const aside = await moveAside(p.control.checkout, '.broken-', 2);
  p.log('a checkout is broken and is made anew', { checkout: p.control.checkout, aside, reason });
  p.notes.push(
    `The checkout was damaged and was made anew; what was not pushed is only in the old folder, kept at ${aside}.`,
  );
}

/** Finds the folder when the record is lost: a renamed repository must not get a second checkout. */
async function existingCheckout(home: string): Promise<string | null> {
  const names = await readdir(home).catch(() => []);
  return names.find((n) => !n.startsWith('.')) ?? null;
}

function requireNames(spec: CheckoutSpec): void {
  requireConversation(spec.conversation);
  requireBranchName(spec.defaultBranch);
  if (spec.at.base !== undefined) requireBranchName(spec.at.base);
  if (spec.at.kind === 'branch') {
    for (const name of [spec.at.branch, ...(spec.at.otherwise ?? [])]) requireBranchName(name);
  } else {
    requirePullNumber(spec.at.number);
    requireSha(spec.at.sha);
  }
}
