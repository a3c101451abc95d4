/**
 * The git door of one dispatch: takes what git inside the container hands over in the outbox, one request after
 * another, and answers in `answers`. The worker writes there only, the agent in the outbox only.
 */
import { watch } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GitFailed, LeaseLost } from '../errors.ts';
import { startWakeLoop } from '../wake-loop.ts';
import { type Answer, type DoorState, type GitDoorDeps, oneLine, outboxOf } from './git-door-state.ts';
import {
  FileTooLarge,
  listOutbox,
  OddFile,
  type OutboxRequest,
  readPart,
  removeParts,
} from './git-outbox.ts';
import { carryPush } from './git-push.ts';
import { publicKey, refuseSigning, signCommit } from './git-signing.ts';

export interface GitDoor {
  /** after the container has stopped; what was begun is finished, what was not is not answered */
  close(): Promise<void>;
}

// fs.watch may miss what a container's own file system does.
const POLL_MS = 500;
const MOST_REQUESTS = 20_000;
const MOST_ODD_AUDITED = 20;
const LARGEST_COMMIT = 1024 * 1024;

export async function openGitDoor(deps: GitDoorDeps): Promise<GitDoor> {
  const { root } = deps.checkout.relay;
  const door: DoorState = {
    ...deps,
    seen: new Map(),
    handled: new Set(),
    toldOf: new Set(),
  };
  const { branch } = deps.policy;
  const at = { remote: await deps.remote(), branch };
  // The run starts without waiting for this; pushes that come before it is done wait.
  const known = deps.workdir.knownHead(deps.checkout, at).then(
    (head) => void door.seen.set(branch, head),
    (error: Error) => deps.log.warn(`no forced push in this run: ${error.message}`),
  );
  if (deps.signingKeyFile !== null) await showPublicKey(door, deps.signingKeyFile);
  const loop = startWakeLoop(async () => {
    await known;
    await drain(door);
    return POLL_MS;
  });
  const watcher = watch(join(root, 'outbox'), () => loop.wake());
  watcher.on('error', (error) => deps.log.warn(`the outbox is polled only: ${error.message}`));
  return {
    close: async () => {
      watcher.close();
      await loop.stop();
    },
  };
}

async function drain(door: DoorState): Promise<void> {
  try {
    const { ready, odd } = await listOutbox(outboxOf(door));
    for (const name of odd) await tellOdd(door, name, 'not a name of ours, or not a plain file');
    for (const request of ready) await once(door, request);
  } catch (error) {
    // The next poll tries again; an outbox that is gone for good means that the dispatch is over.
    door.log.warn(`the outbox of a run cannot be read: ${String(error)}`);
  }
}

async function once(door: DoorState, request: OutboxRequest): Promise<void> {
  if (door.handled.has(request.id) || door.handled.size >= MOST_REQUESTS) return;
  door.handled.add(request.id);
  const answer = await answerTo(door, request);
  // Git in the container waits for this answer, and the push has happened: a missing audit row must not hide that.
  await audit(door, answer).catch((error) => {
    door.log.warn(`a request at the git door could not be audited: ${String(error)}`, { ...answer.detail });
  });
  await removeParts(outboxOf(door), request.id);
  await writeAnswer(door, request.id, answer);
}

async function answerTo(door: DoorState, request: OutboxRequest): Promise<Answer> {
  try {
    if (request.kind === 'push') return await carryPush(door, request.id);
    return request.kind === 'fetch' ? await refresh(door) : await sign(door, request.id);
  } catch (error) {
    return answerToError(door, request, error);
  }
}

function answerToError(door: DoorState, request: OutboxRequest, error: unknown): Answer {
  const no = { ok: false, action: request.kind, detail: {} };
  if (error instanceof OddFile) {
    const text = `The request is ${error.message}, and was not read.`;
    return { ...no, decision: 'denied', text };
  }
  if (error instanceof FileTooLarge) {
    return {
      ...no,
      decision: 'denied',
      text: `The request is too large (${error.message}). Make it smaller.`,
    };
  }
  if (error instanceof LeaseLost) {
    return { ...no, decision: 'failed', text: 'This run was replaced by another. Stop here.' };
  }
  if (!(error instanceof GitFailed)) door.log.warn(`the git door failed: ${String(error)}`);
  const why = error instanceof GitFailed ? ` (${oneLine(error.message)})` : '';
  const text = `The service could not do it${why}. Your commits are safe in the checkout and are pushed after the run.`;
  return { ...no, decision: 'failed', text };
}

/** Remembers the heads the agent is shown: a forced push may replace only these. */
async function refresh(door: DoorState): Promise<Answer> {
  const { policy, checkout, workdir } = door;
  const allowed: Answer = { ok: true, action: 'fetch', decision: 'allowed', text: '', detail: {} };
  try {
    const at = { remote: await door.remote(), branch: policy.branch };
    const head = await workdir.refresh(checkout, at);
    door.seen.clear();
    door.seen.set(policy.branch, head);
    return allowed;
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error;
    const text = `claude-hooks: the forge could not be asked (${oneLine(error.message)}). What follows is what was known of it before.`;
    return { ok: false, action: 'fetch', decision: 'failed', text, detail: {} };
  }
}

async function sign(door: DoorState, id: string): Promise<Answer> {
  const no = { ok: false, action: 'sign', decision: 'denied' as const, detail: {} };
  const { signingKeyFile: keyFile, policy } = door;
  if (keyFile === null) return { ...no, text: 'Commits are not signed here. Commit with --no-gpg-sign.' };
  const content = await readPart(outboxOf(door), id, { part: 'data', max: LARGEST_COMMIT });
  if (content === null) return { ...no, text: 'Nothing was handed over to be signed. Commit again.' };
  const refusal = refuseSigning(policy.identity, content);
  if (refusal !== null) return { ...no, text: refusal };
  const folder = join(door.checkout.relay.root, 'incoming');
  const signature = await signCommit({ keyFile, identity: policy.identity, folder }, content);
  await writeFile(join(door.checkout.relay.root, 'answers', `${id}.sig`), signature);
  return { ok: true, action: 'sign', decision: 'allowed', text: '', detail: { bytes: content.length } };
}

async function showPublicKey(door: DoorState, keyFile: string): Promise<void> {
  try {
    const file = join(door.checkout.relay.root, 'programs', 'signing-key.pub');
    await writeFile(file, `${await publicKey(keyFile)}\n`);
  } catch (error) {
    door.log.warn(
      `git.signing_key_file ${keyFile} cannot be used: ${String(error)}. Make it an SSH key without a passphrase that the service may read.`,
    );
  }
}

async function audit(door: DoorState, answer: Answer): Promise<void> {
  const { action, decision, text, detail } = answer;
  const reason = decision === 'allowed' ? null : oneLine(text);
  await door.audit({ door: 'git', action, decision, reason, detail });
}

async function tellOdd(door: DoorState, name: string, why: string): Promise<void> {
  if (door.toldOf.has(name) || door.toldOf.size >= MOST_ODD_AUDITED) return;
  door.toldOf.add(name);
  const shown = JSON.stringify(name.slice(0, 80));
  const reason = `${shown} in the outbox was not read: ${why}`;
  await door.audit({ door: 'git', action: `outbox ${shown}`, decision: 'denied', reason, detail: {} });
}

/** Written under another name and then renamed, so that a reader never sees half of it. */
async function writeAnswer(door: DoorState, id: string, answer: Answer): Promise<void> {
  const file = join(door.checkout.relay.root, 'answers', `${id}.answer`);
  const lines = answer.text === '' ? '' : `${answer.text}\n`;
  await writeFile(`${file}.new`, `${answer.ok ? 'ok' : 'no'}\n${lines}`);
  await rename(`${file}.new`, file).catch(() => rm(`${file}.new`, { force: true }));
}
