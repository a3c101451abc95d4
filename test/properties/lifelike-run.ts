/**
 * One run, with the writes of the real worker in their order: lease → plan → announce → ask → verify → store → publish
 * → settle. Only the CLI and the forge are pretended. A gate stands at every fault point of the product.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { runFacts, verifyTranscript } from '../../src/agent-runner/conclude.ts';
import type { DispatchRun, RunFacts, RunnerDeps } from '../../src/agent-runner/run.ts';
import type { Database } from '../../src/database/database.ts';
import { announceRun, storeAnswer } from '../../src/dispatch/converse/announced.ts';
import { LeaseLost } from '../../src/errors.ts';
import { silentLog } from '../../src/log.ts';
import { credentialScope, placeHold } from '../../src/mailbox/holds.ts';
import { assertLease, carryLate, type Lease, underLease } from '../../src/mailbox/leases.ts';
import { type Settlement, settleDispatch } from '../../src/mailbox/settlement.ts';
import { effectKey, marker, once } from '../../src/outcome/effects.ts';
import type { PreparedSession } from '../../src/sessions/apply.ts';
import { archiveFolder, dropArchived } from '../../src/sessions/archive.ts';
import { type CliFolders, cliFolders, transcriptPath } from '../../src/sessions/folders.ts';
import { prepareSession } from '../../src/sessions/ladder.ts';
import type { Floor } from '../../src/sessions/ladder-request.ts';
import { recordTurn } from '../../src/sessions/record.ts';
import { countFailedResume, currentSession } from '../../src/sessions.ts';
import { Died } from './mortal.ts';
import type { Gate } from './paced.ts';
import { PretendCli } from './pretend-cli.ts';
import type { PretendForge } from './pretend-forge.ts';

export const ENDINGS = [
  'answered',
  'unverified',
  'capped',
  'limited',
  'transient',
  'interrupted',
  'refused',
] as const;
export const LOSSES = ['nothing', 'disk', 'disk-and-archive'] as const;

export interface Script {
  ending: (typeof ENDINGS)[number];
  /** what is gone of the current session's transcript before the run */
  lost: (typeof LOSSES)[number];
  /** the first attempt to resume is refused by the CLI */
  resumeFails: boolean;
}

export interface Desk {
  database: Database;
  now: () => number;
  /** the state folder */
  state: string;
  forge: PretendForge;
  gate: Gate;
  /** false ends the CLI: the heartbeat aborts it, or it never gets the session's lock */
  isMine: (lease: Lease) => Promise<boolean>;
  /** the prompt has reached the model */
  onAsked: (lease: Lease) => void;
}

/** A promise of the service that only a run can see broken; not to be mistaken for an error a worker reacts to. */
export class PromiseBroken extends Error {
  override name = 'PromiseBroken';
}

interface Work extends Desk {
  lease: Lease;
  /** what the runner gets for its database */
  fenced: Database;
  script: Script;
  folders: CliFolders;
}

type Finished = { settlement: Settlement; unanswered: string[] } | 'lost';

export async function lifelikeRun(lease: Lease, script: Script, desk: Desk): Promise<void> {
  const folders = cliFolders(desk.state, lease.conversation.id);
  const work = { ...desk, lease, script, folders, fenced: underLease(desk.database, lease) };
  const finished = await attempt(work);
  if (finished === 'lost') return;
  await desk.gate('settle.begun');
  try {
    await settleDispatch(desk.database, lease, { ...finished, now: desk.now() });
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
  }
}

function finish(settlement: Settlement): Finished {
  return { settlement, unanswered: [] };
}

async function attempt(work: Work): Promise<Finished> {
  const { lease } = work;
  if (lease.messages.length === 0 && lease.previous?.answer == null) {
    return finish({ state: 'cancelled', reason: 'every message was withdrawn' });
  }
  try {
    if (lease.previous?.answer != null) {
      if (lease.dispatch.ending !== 'answered') return await tell(work, { state: 'failed', reason: 'a cap' });
      await publish(work);
      return succeeded(lease, lease.previous.carried);
    }
    const late = await carryLate(work.database, lease, work.now());
    await work.gate('context.gathered');
    return await run({ ...work, lease: late });
  } catch (error) {
    if (error instanceof Died || error instanceof PromiseBroken) throw error;
    if (error instanceof LeaseLost) return 'lost';
    // A throw of the rooms themselves: the real worker would hide it in a park.
    throw new PromiseBroken(`a run threw ${String(error)}`, { cause: error });
  }
}

function succeeded(lease: Lease, answered: string[]): Finished {
  const unanswered = lease.messages.map((m) => m.id).filter((id) => !answered.includes(id));
  return { settlement: { state: 'succeeded' }, unanswered };
}

async function run(work: Work): Promise<Finished> {
  const { lease, script } = work;
  await lose(work);
  let prepared = await planned(work, 'resumed');
  await work.gate('session.planned');
  if (lease.previous !== null && prepared.start === 'resume' && prepared.tail.kind === 'answered') {
    await announce(work, prepared, '');
    const { answer, head } = prepared.tail;
    return await conclude(work, { prepared, answer, head, adopted: true });
  }
  if (script.resumeFails && prepared.start === 'resume') {
    await announce(work, prepared, 'refused prompt');
    const { id } = prepared.session;
    await work.fenced.transaction((tx) => countFailedResume(tx, id));
    await work.gate('session.planned');
    prepared = await planned(work, prepared.continuity === 'rebuilt' ? 'digest' : 'rebuilt');
  }
  return await converse(work, prepared);
}

/** Disks break between two runs of a session. */
async function lose({ database, lease, script, folders, isMine }: Work): Promise<void> {
  if (!(await isMine(lease))) return;
  const session = await currentSession(database.rows, lease.conversation.id);
  if (session === null || script.lost === 'nothing') return;
  rmSync(join(folders.config, transcriptPath(session.id)), { force: true });
  if (script.lost === 'disk-and-archive') {
    await dropArchived(database.rows, lease.conversation.id, transcriptPath(session.id));
  }
}

async function planned({ fenced, lease, folders, now }: Work, floor: Floor): Promise<PreparedSession> {
  return await prepareSession(fenced, {
    conversationId: lease.conversation.id,
    dispatchId: lease.dispatch.id,
    folders,
    cwd: '/checkout',
    model: 'pretended',
    cliVersion: '2.1.330',
    archive: true,
    policy: policyOf(lease),
    floor,
    floorReason: floor === 'resumed' ? null : 'resume-failed',
    now: now(),
  });
}

/** One agent continues, the other starts over for every dispatch. */
function policyOf(lease: Lease): 'resume' | 'fresh' {
  return lease.conversation.agent === 'dev' ? 'resume' : 'fresh';
}

async function announce({ database, lease }: Work, prepared: PreparedSession, prompt: string): Promise<void> {
  await announceRun(database, lease, {
    checkout: null,
    sessionId: prepared.session.id,
    continuity: prepared.continuity,
    prompt,
    history: prepared.history,
    carried: lease.messages.map((m) => m.id),
  });
}

async function converse(work: Work, prepared: PreparedSession): Promise<Finished> {
  const { database, fenced, lease, script, gate, now, folders } = work;
  const prompt = `${prepared.preamble ?? ''} attempt ${lease.dispatch.attempt} of ${lease.dispatch.id}`;
  await announce(work, prepared, prompt);
  await gate('run.announced');
  const turn = { dispatchId: lease.dispatch.id, conversationId: lease.conversation.id, uuid: null };
  await recordTurn(database.rows, { ...turn, kind: 'prompt', content: prompt, now: now() });
  await gate('run.recorded');
  if (!(await work.isMine(lease))) return 'lost';
  const cli = new PretendCli(prepared);
  cli.start(prepared);
  await requireMemory(work, prepared, cli);
  cli.ask(prompt);
  work.onAsked(lease);
  await archiveFolder(fenced, lease.conversation.id, folders.config);
  await gate('run.answering');
  if (!(await work.isMine(lease))) return 'lost';
  switch (script.ending) {
    case 'limited':
      return await park(work);
    case 'transient':
      return finish({ state: 'parked', reason: 'not now', until: now() + 10_000 * lease.dispatch.attempt });
    case 'interrupted':
      return finish({ state: 'interrupted', reason: 'the service was stopped' });
    case 'refused':
      return await tell(work, { state: 'failed', reason: 'no rung left' });
    default: {
      const answer = answerOf(lease);
      const head = cli.answer(answer);
      await recordTurn(database.rows, { ...turn, kind: 'text', content: answer, uuid: head, now: now() });
      if (script.ending === 'unverified') cli.forget();
      await archiveFolder(fenced, lease.conversation.id, folders.config);
      await gate('run.ended');
      return await conclude(work, { prepared, answer, head, adopted: false });
    }
  }
}

function answerOf({ dispatch }: Pick<Lease, 'dispatch'>): string {
  return `answer ${dispatch.attempt} of ${dispatch.id}.`;
}

/** Guarantee 3: whatever was answered before is in front of the model, as its own turns or as a text. */
async function requireMemory(work: Work, prepared: PreparedSession, cli: PretendCli): Promise<void> {
  if (policyOf(work.lease) === 'fresh') return;
  const answered = await work.database.rows
    .selectFrom('dispatches')
    .select('answer')
    .where('conversation_id', '=', work.lease.conversation.id)
    .where('ending', '=', 'answered')
    .execute();
  for (const { answer } of answered) {
    const known = prepared.start === 'resume' ? cli.remembers(answer!) : prepared.preamble?.includes(answer!);
    if (known === true) continue;
    throw new PromiseBroken(`a ${prepared.continuity} run (${prepared.reason}) begins without "${answer}"`);
  }
}

async function park({ database, lease, now }: Work): Promise<Finished> {
  const until = now() + 60_000 * lease.dispatch.attempt;
  const hold = await placeHold(database.rows, {
    scope: credentialScope(null),
    reason: 'usage limit',
    until,
    by: { kind: 'limit' },
    now: now(),
  });
  return finish({ state: 'parked', reason: 'usage limit', until, holdId: hold.id });
}

interface Came {
  prepared: PreparedSession;
  answer: string;
  head: string;
  adopted: boolean;
}

async function conclude(work: Work, { prepared, answer, head, adopted }: Came): Promise<Finished> {
  const { database, lease, script } = work;
  const facts = await factsOf(work, prepared, head);
  const capped = script.ending === 'capped' && !adopted;
  await work.gate('run.verified');
  await storeAnswer(database, lease, {
    outcome: capped
      ? { kind: 'capped', why: 'max-turns', ...facts }
      : { kind: 'answered', answer, adopted, aside: null, leftBehind: [], ...facts },
    answer: capped ? 'I stopped at my limit.' : answer,
    snapshot: '{}',
    branch: null,
    now: work.now(),
  });
  await work.gate('answer.stored');
  if (capped) return await tell(work, { state: 'failed', reason: 'max-turns' });
  await publish(work);
  return succeeded(lease, adopted ? (lease.previous?.carried ?? []) : lease.messages.map((m) => m.id));
}

/** The product's own verification; it takes more than it reads, and gets what it reads. */
async function factsOf(work: Work, prepared: PreparedSession, head: string): Promise<RunFacts> {
  const { lease } = work;
  const dispatch = {
    id: lease.dispatch.id,
    conversationId: lease.conversation.id,
    agentName: lease.conversation.agent,
  } as DispatchRun;
  const sessions = { archive: true, flushMs: 0, maxFailedResumes: 2, lateMessagesMs: 0, backgroundMs: 0 };
  const deps = { database: work.fenced, log: silentLog, now: work.now, sessions } as RunnerDeps;
  const proof = await verifyTranscript(prepared, head, deps);
  return await runFacts(dispatch, deps, prepared, { ...proof, turns: 1, usage: null, model: null });
}

async function tell(work: Work, settlement: Settlement): Promise<Finished> {
  await publish(work);
  return finish(settlement);
}

async function publish({ database, lease, forge, now, gate }: Work): Promise<void> {
  const key = effectKey(lease.dispatch.id, 'comment');
  await once<{ url: string }>(
    { database, now, assertMine: (tx) => assertLease(tx, lease) },
    {
      dispatchId: lease.dispatch.id,
      conversationId: lease.conversation.id,
      kind: 'comment',
      request: {},
      find: async () => forge.find(marker(key)),
      perform: async () => {
        await gate('effect.planned');
        const posted = forge.post(marker(key));
        await gate('effect.performed');
        return posted;
      },
    },
  );
  await gate('effect.recorded');
}
