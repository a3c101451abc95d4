/** One push through the git door: read what was handed over, judge it, have it sent, and say what became of it. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GitFailed } from '../errors.ts';
import type { ReceiveOutcome } from '../workdir.ts';
import { type Answer, type DoorState, outboxOf } from './git-door-state.ts';
import { copyPart, FileTooLarge, readPart } from './git-outbox.ts';
import { branchOf, checkOf, type RefUpdate, refuseRefs, tooLarge } from './git-policy.ts';

const LARGEST_LIST = 64 * 1024;
const LINE = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) (refs\/.+)$/;

export async function carryPush(door: DoorState, id: string): Promise<Answer> {
  const outbox = outboxOf(door);
  const list = await readPart(outbox, id, { part: 'refs', max: LARGEST_LIST });
  const updates = list === null ? [] : parseUpdates(list.toString('utf8'));
  const action = `push ${shownRefs(updates)}`;
  if (updates === null) {
    return no(action, 'The request cannot be read. Push again with an unchanged git.');
  }
  const refusal = refuseRefs(door.policy, updates);
  const branch = branchOf(updates[0]?.ref ?? '');
  const sha = updates[0]?.sha ?? null;
  if (refusal !== null || branch === null || sha === null) return no(action, refusal ?? 'Nothing to push.');
  const pack = join(door.checkout.relay.root, 'incoming', 'pack');
  try {
    const at = { part: 'pack' as const, max: door.policy.maxBytes, to: pack };
    const sent = await copyPart(outbox, id, at);
    await door.assertMine();
    return answerFor(door, {
      action,
      branch,
      outcome: await hand(door, { branch, sha, pack: sent ? pack : null }),
    });
  } catch (error) {
    if (error instanceof FileTooLarge) {
      const { what, todo } = tooLarge(door.policy.maxBytes);
      return no(action, `${what} ${todo}`);
    }
    throw error;
  } finally {
    await rm(pack, { force: true });
  }
}

async function hand(
  door: DoorState,
  push: { branch: string; sha: string; pack: string | null },
): Promise<ReceiveOutcome> {
  const { policy, checkout, workdir } = door;
  const attempt = async () =>
    await workdir.receive(checkout, {
      ...push,
      remote: await door.remote(),
      maxBytes: policy.maxBytes,
      seen: door.seen.get(push.branch) ?? null,
      check: checkOf(policy),
      keep: push.branch === policy.branch,
    });
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof GitFailed) || !isDenied(error)) throw error;
    door.log.warn("the forge refused the agent's token; it is read again");
    return await attempt();
  }
}

function isDenied(error: GitFailed): boolean {
  return 'kind' in error && error.kind === 'denied';
}

function answerFor(door: DoorState, o: { action: string; branch: string; outcome: ReceiveOutcome }): Answer {
  const { action, branch, outcome } = o;
  if (outcome.kind === 'rejected') return no(action, outcome.reason);
  const detail = { sha: outcome.sha, outcome: outcome.kind };
  const yes = { ok: true, action, decision: 'allowed' as const, detail };
  if (outcome.kind === 'kept') {
    const text = `claude-hooks: the forge cannot be reached just now. The commits are kept here and are forwarded to ${branch} after the run.`;
    return { ...yes, text, detail: { ...detail, why: outcome.why.slice(0, 300) } };
  }
  door.seen.set(branch, outcome.sha);
  return { ...yes, text: `claude-hooks: ${branch} on the forge is at ${outcome.sha.slice(0, 12)}.` };
}

function no(action: string, text: string): Answer {
  return { ok: false, action, decision: 'denied', text: `claude-hooks: ${text}`, detail: {} };
}

/** null where a line is not what git writes. */
function parseUpdates(text: string): RefUpdate[] | null {
  const updates: RefUpdate[] = [];
  for (const line of text.split('\n').filter((l) => l !== '')) {
    const [, , sha, ref] = LINE.exec(line) ?? [];
    if (sha === undefined || ref === undefined) return null;
    updates.push({ ref, sha: /^0+$/.test(sha) ? null : sha });
  }
  return updates;
}

function shownRefs(updates: RefUpdate[] | null): string {
  const refs = (updates ?? [])
    .slice(0, 5)
    .map(({ ref }) => ref.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?'));
  return refs.length === 0 ? '(nothing readable)' : refs.join(' ').slice(0, 300);
}
