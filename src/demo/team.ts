/**
 * `demo --team`: an issue becomes a pull request; CI fails and is mended; the pull request is reviewed, changed, approved and
 * merged, by three agents that each go on in a session of their own. Ends with the proof.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, openDatabase } from '../database/database.ts';
import type { DispatchRow } from '../database/tables.ts';
import type { EngineName } from '../vocabulary.ts';
import { startAttendant } from './attendant.ts';
import type { DemoOptions } from './demo.ts';
import { demoEngine } from './engine.ts';
import { ISSUE_TITLE } from './script.ts';
import { DEV, endGently, OWNER, REPOSITORY, type Stage, setStage } from './stage.ts';
import { TEAM_SCRIPT } from './team-script.ts';

export interface TeamReport {
  engine: EngineName;
  /** in order */
  dispatches: { agent: string; continuity: string; outcome: string }[];
  proof: {
    merged: boolean;
    issueClosed: boolean;
    /** each agent has one session from its first dispatch to its last */
    oneSessionEach: boolean;
  };
  seconds: number;
  folder: string | null;
}

const TEAM = [
  { agent: 'dev', login: DEV },
  { agent: 'reviewer', login: 'review-bot' },
  { agent: 'boss', login: 'boss-bot' },
];

export async function runTeamDemo(options: Omit<DemoOptions, 'live' | 'liveModel'>): Promise<TeamReport> {
  const started = Date.now();
  const engine = await demoEngine({ ...options, live: false });
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-demo-'));
  const { env, image, keep, signal } = options;
  const attendant = startAttendant({ folder, keep, engine, image }, env);
  let stage: Stage | null = null;
  try {
    const container = { engine, ...(image === null ? {} : { image }) };
    const cast = { agents: TEAM, script: TEAM_SCRIPT, config: { team: { merge: 'boss' } } };
    stage = await setStage({ folder, env, liveKey: null, liveModel: null, container, signal, cast });
    options.say(
      `A forge with ${REPOSITORY}, and a service with the agents dev, reviewer and boss, in ${folder}`,
    );
    const service = await stage.startService();
    await playStory(stage, options);
    const proof = await prove(stage);
    const dispatches = (await rowsOf(stage)).map((row) => ({
      agent: row.agent,
      continuity: row.continuity ?? '',
      outcome: row.state,
    }));
    tellProof(proof, options.say);
    await endGently(service);
    const seconds = (Date.now() - started) / 1000;
    return { engine, dispatches, proof, seconds, folder: keep ? folder : null };
  } finally {
    await stage?.close();
    await attendant.finish();
    if (keep) options.say(`Kept: ${folder}`);
  }
}

async function playStory(stage: Stage, options: Story): Promise<void> {
  const { say } = options;
  const owner = stage.forge.as(OWNER);
  const { number } = await owner.createIssue(REPOSITORY, { title: ISSUE_TITLE, body: 'Please mend it.' });
  say(`${OWNER} opens issue #${number} "${ISSUE_TITLE}" and assigns ${DEV}.`);
  await owner.assign(REPOSITORY, number, [DEV]);
  await tell(stage, 1, options);
  await runCi(stage, 'failure', options);
  await tell(stage, 2, options);
  await runCi(stage, 'success', options);
  await tell(stage, 3, options);
  await tell(stage, 4, options);
  await runCi(stage, 'success', options);
  await tell(stage, 5, options);
  await tell(stage, 6, options);
}

type Story = Pick<DemoOptions, 'say' | 'signal'>;

async function runCi(stage: Stage, status: 'success' | 'failure', { say }: Story): Promise<void> {
  const { number, pull } = pullOf(stage);
  say(
    `CI ${status === 'success' ? 'passes' : 'fails'} on ${pull!.headSha.slice(0, 10)}, the head of #${number}.`,
  );
  const run = { sha: pull!.headSha, status, workflow: 'ci.yaml', pull: number };
  await stage.forge.as(OWNER).actionRun(REPOSITORY, run);
}

function pullOf(stage: Stage) {
  const found = stage.forge.state.items.find(({ pull }) => pull !== null);
  if (found === undefined)
    throw new Error('No pull request was opened. Run it with --keep, and read the log there.');
  return found;
}

const DISPATCH_TIMEOUT_MS = 2 * 60_000;
const ENDED = new Set(['succeeded', 'unposted', 'failed', 'cancelled', 'parked']);

/** Waits for the n-th dispatch to end and tells who ran, how it began and what came of it. */
async function tell(stage: Stage, n: number, { say, signal }: Story): Promise<void> {
  const deadline = Date.now() + DISPATCH_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const row = (await rowsOf(stage))[n - 1];
    if (row !== undefined && ENDED.has(row.state)) {
      const answer = (row.answer ?? 'no answer').replaceAll(/\s*\n\s*/g, ' ');
      say(`  ${row.agent} (${row.continuity ?? '-'}) ${row.state}: ${answer}`);
      await stage.forge.settled();
      return;
    }
    await sleep(100, undefined, { signal });
  }
  throw new Error(`Dispatch ${n} did not end within ${DISPATCH_TIMEOUT_MS / 60_000} minutes.`);
}

async function rowsOf(stage: Stage): Promise<DispatchRow[]> {
  const database: Database = openDatabase({ url: stage.database, readOnly: true });
  try {
    return await database.rows.selectFrom('dispatches').selectAll().orderBy('seq').execute();
  } finally {
    await database.close();
  }
}

async function prove(stage: Stage): Promise<TeamReport['proof']> {
  const rows = await rowsOf(stage);
  const sessions = new Map<string, Set<string | null>>();
  for (const { agent, session_id } of rows) {
    sessions.set(agent, (sessions.get(agent) ?? new Set<string | null>()).add(session_id));
  }
  const { items } = stage.forge.state;
  return {
    merged: pullOf(stage).pull!.merged !== null,
    issueClosed: items.find(({ pull }) => pull === null)?.state === 'closed',
    oneSessionEach: rows.length === 6 && [...sessions.values()].every((ids) => ids.size === 1),
  };
}

function tellProof({ merged, issueClosed, oneSessionEach }: TeamReport['proof'], say: Story['say']): void {
  const word = (is: boolean) => (is ? 'yes' : 'NO');
  say('');
  say('Proof');
  say(`  the pull request is merged:           ${word(merged)}`);
  say(`  the issue is closed by it:            ${word(issueClosed)}`);
  say(`  each agent in one session throughout: ${word(oneSessionEach)}`);
}
