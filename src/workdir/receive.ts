/**
 * Takes what an agent handed over from its pack to the forge. The pack is unpacked into a quarantine: a repository made
 * for this one push, with the mirror's objects as alternates. Only what passed git's own checks and the caller's goes
 * into the mirror, and from there to the forge.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAncestor, NOT_ON_THE_FORGE, readFacts } from './facts.ts';
import { GitCommandFailed } from './failure.ts';
import type { Git } from './git.ts';
import { sendLfs } from './lfs-push.ts';
import type { AgentStores } from './lfs-store.ts';
import type { Mirrors, MirrorUse } from './mirror.ts';
import { formatConfig } from './object-format.ts';
import type { CheckoutHandle, HandedOver, PushFacts, ReceiveOutcome, Refusal } from './port.ts';
import { type Destination, keptRef, remoteHead, send } from './push.ts';
import { forgeRefs } from './relay.ts';
import { removeTree } from './remove-tree.ts';

export interface Receive {
  git: Git;
  mirrors: Mirrors;
  use: MirrorUse;
  /** folder of the quarantine, made and deleted here */
  quarantine: string;
  checkout: CheckoutHandle;
  stores: AgentStores;
  push: HandedOver;
}

// Larger blobs are streamed; git holds smaller objects in memory, and an agent chooses how large a delta becomes when
// unpacked.
const CHECKS: [string, string][] = [
  ['core.bigFileThreshold', '32m'],
  ['transfer.fsckObjects', 'true'],
  ['fetch.fsckObjects', 'true'],
];

const AGAIN = 'Your commits are safe in the checkout; try again later.';

const QUARANTINE_CONFIG = `[gc]
	auto = 0
[uploadpack]
	allowAnySHA1InWant = true
`;

export async function receivePush(r: Receive): Promise<ReceiveOutcome> {
  const remote = await askForge(r);
  try {
    await makeQuarantine(r);
    const refusal = (await unpack(r)) ?? (await judge(r, remote));
    if (refusal !== null) return { kind: 'rejected', reason: refusal };
    await intoMirror(r);
  } finally {
    await removeTree(r.quarantine);
  }
  return remote.reachable ? await forward(r, remote.remoteSha) : await later(r, remote.why);
}

type Remote =
  | { reachable: true; remoteSha: string | null }
  | { reachable: false; remoteSha: string | null; why: string };

async function askForge(r: Receive): Promise<Remote> {
  try {
    return { reachable: true, remoteSha: await remoteHead(destination(r)) };
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    const remoteSha = await r.mirrors.head(r.use.path, `refs/heads/${r.push.branch}`);
    return { reachable: false, remoteSha, why: error.message };
  }
}

async function makeQuarantine(r: Receive): Promise<void> {
  await removeTree(r.quarantine);
  for (const name of ['objects/info', 'objects/pack', 'refs']) {
    await mkdir(join(r.quarantine, name), { recursive: true });
  }
  const core = formatConfig(r.use.format, { bare: 'true', hooksPath: '/dev/null' });
  await writeFile(join(r.quarantine, 'HEAD'), 'ref: refs/heads/main\n');
  await writeFile(join(r.quarantine, 'config'), `${core}${QUARANTINE_CONFIG}`);
  await writeFile(join(r.quarantine, 'objects/info/alternates'), `${join(r.use.path, 'objects')}\n`);
  await writeFile(join(r.quarantine, 'packed-refs'), await forgeRefs(r.git, r.use.path));
}

/**
 * Answers why git does not accept it, or null. These errors are the agent's fault; if they counted as the mirror's, it
 * would be cloned anew.
 */
async function unpack(r: Receive): Promise<string | null> {
  const { sha, pack, maxBytes } = r.push;
  const gitDir = r.quarantine;
  try {
    if (pack !== null) {
      // guard: relay: fsck
      const args = ['index-pack', '--stdin', '--strict', '--fix-thin', `--max-input-size=${maxBytes}`];
      await r.git({ gitDir, args, config: CHECKS, input: { file: pack } });
    }
    await r.git({ gitDir, args: ['cat-file', 'commit', sha] });
    await r.git({ gitDir, args: ['rev-list', '--objects', '--quiet', sha, ...NOT_ON_THE_FORGE] });
    return null;
  } catch (error) {
    if (!(error instanceof GitCommandFailed) || !['damaged', 'refused'].includes(error.kind)) throw error;
    const lines = error.stderr.trim().split('\n');
    const said = lines.find((l) => /fsck|error: object|maximum allowed size/.test(l)) ?? lines.at(-1) ?? '';
    return `Git does not accept the objects: ${printable(said)}. Run git fsck, make the commits anew with git itself, and push again.`;
  }
}

async function judge(r: Receive, remote: Remote): Promise<string | null> {
  const { push, checkout, mirrors, use } = r;
  const base = await mirrors.head(use.path, `refs/heads/${push.check.base}`);
  const facts = await readFacts({
    git: r.git,
    gitDir: r.quarantine,
    sha: push.sha,
    branch: push.branch,
    bases: base === null ? [checkout.baseSha] : [base, checkout.baseSha],
    remote: { remoteSha: remote.remoteSha, reachable: remote.reachable, seen: push.seen },
    isWatched: push.check.isWatched,
  });
  const verdict = push.check.refuse(facts) ?? (await lfsRefusal(r, facts));
  const refusal = verdict === null ? null : `${verdict.what} ${verdict.todo}`;
  if (refusal !== null || remote.reachable) return refusal;
  if (push.keep && facts.fastForward) return null;
  return `The forge cannot be reached just now. ${AGAIN}`;
}

async function lfsRefusal(r: Receive, { changedFiles, reachable }: PushFacts): Promise<Refusal | null> {
  const { git, use, stores, push } = r;
  const maxBytes = push.check.maxLfsBytes;
  const at = { gitDir: r.quarantine, commit: push.sha, changedFiles, stores, maxBytes, reachable };
  try {
    return await sendLfs({ git, use, ...at });
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return { what: 'The forge cannot be reached just now.', todo: AGAIN };
  }
}

/**
 * The conversation's own branch gets a ref before anything is sent, so that nothing is lost when the worker dies here.
 */
async function intoMirror(r: Receive): Promise<void> {
  const { sha, keep } = r.push;
  // guard: relay: kept before it is sent
  const refspec = keep ? `+${sha}:${keptRef(r.checkout.conversation)}` : sha;
  const options = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules'];
  const args = ['fetch', ...options, '--', r.quarantine, refspec];
  await r.git({ gitDir: r.use.path, args, config: CHECKS });
}

async function forward(r: Receive, remoteSha: string | null): Promise<ReceiveOutcome> {
  const { sha } = r.push;
  if (remoteSha === sha) return await settled(r, { kind: 'up-to-date', sha });
  const forced = remoteSha !== null && !(await isAncestor(r.git, r.use.path, [remoteSha, sha]));
  try {
    const sent = await send(destination(r), sha, forced ? remoteSha : null);
    if (sent.kind === 'pushed') return await settled(r, { ...sent, forced });
    return await settled(r, { kind: 'rejected', reason: sent.reason });
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return forced ? await settled(r, tooEarly(error.message)) : await later(r, error.message);
  }
}

async function later(r: Receive, why: string): Promise<ReceiveOutcome> {
  return r.push.keep ? { kind: 'kept', sha: r.push.sha, why } : tooEarly(why);
}

function tooEarly(why: string): ReceiveOutcome {
  const reason = `The forge cannot be reached just now (${printable(why)}). ${AGAIN}`;
  return { kind: 'rejected', reason };
}

async function settled(r: Receive, outcome: ReceiveOutcome): Promise<ReceiveOutcome> {
  if (!r.push.keep) return outcome;
  const args = ['update-ref', '-d', keptRef(r.checkout.conversation)];
  await r.git({ gitDir: r.use.path, args });
  return outcome;
}

function destination(r: Receive): Destination {
  return { git: r.git, mirrors: r.mirrors, use: r.use, branch: r.push.branch };
}

function isUnreachable(error: unknown): error is GitCommandFailed {
  return error instanceof GitCommandFailed && error.kind === 'unreachable';
}

function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').slice(0, 500);
}
