/**
 * The product's main job, on real parts: an issue is assigned, the agent works; the service is killed, the CLI's folders
 * are deleted; a comment arrives, and the same session continues. Ends with the proof.
 */
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordedRequest } from '../../rehearsal/model-record.ts';
import { type Database, openDatabase } from '../database/database.ts';
import type { DispatchRow } from '../database/tables.ts';
import type { EngineName } from '../vocabulary.ts';
import { startAttendant } from './attendant.ts';
import { type Cost, coldAgainstWarm } from './cost.ts';
import { demoEngine } from './engine.ts';
import { FOLLOW_UP, ISSUE_TITLE, issueBody, RECALL } from './script.ts';
import { DEV, endGently, kill, OWNER, REPOSITORY, type Stage, setStage } from './stage.ts';

export interface DemoOptions {
  env: Record<string, string | undefined>;
  live: boolean;
  liveModel: string | null;
  /** `auto` takes the strongest that works */
  engine: 'auto' | EngineName;
  /** for docker and podman */
  image: string | null;
  /** keeps the folder and says where it is */
  keep: boolean;
  /** one line of the story */
  say: (line: string) => void;
  /** cuts the story; everything is cleared away then, too */
  signal: AbortSignal;
}

export interface DemoReport {
  engine: EngineName;
  dispatches: DemoDispatch[];
  proof: {
    killedAt: string;
    /** folders deleted while the service was down */
    wiped: string[];
    sameSession: boolean;
    recalledFact: boolean;
    fact: string;
    historyMessages: number;
    /** null with the real model, whose requests are not seen */
    cost: Cost | null;
  };
  seconds: number;
  folder: string | null;
}

interface DemoDispatch {
  id: string;
  conversation: string;
  agent: string;
  session: string;
  continuity: string;
  /** messages of history before the prompt, as the model received them */
  historyMessages: number;
  outcome: string;
}

export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const started = Date.now();
  const liveKey = options.live ? (options.env.ANTHROPIC_API_KEY ?? '') : null;
  if (liveKey === '') {
    throw new Error(
      '--live needs a key. Set ANTHROPIC_API_KEY, or leave --live out to use the rehearsal model.',
    );
  }
  const engine = await demoEngine(options);
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-demo-'));
  const { env, image, keep, signal, liveModel } = options;
  const attendant = startAttendant({ folder, keep, engine, image }, env);
  let stage: Stage | null = null;
  try {
    const container = { engine, ...(image === null ? {} : { image }) };
    stage = await setStage({ folder, env, liveKey, liveModel, container, signal });
    options.say(`A forge with one repository (${REPOSITORY}) and a service that listens to it, in ${folder}`);
    options.say(
      stage.model === null
        ? 'The model is the real one.'
        : 'The model is the rehearsal model: scripted answers, the real CLI.',
    );
    const play = await playStory(stage, await stage.startService(), options);
    const report = await prove(stage, play);
    tellProof(report, options.say);
    await endGently(play.service);
    return {
      engine,
      ...report,
      seconds: (Date.now() - started) / 1000,
      folder: keep ? folder : null,
    };
  } finally {
    await stage?.close();
    await attendant.finish();
    if (keep) options.say(`Kept: ${folder}`);
  }
}

interface Play {
  service: ChildProcess;
  fact: string;
  killedAt: string;
  wiped: string[];
}

async function playStory(stage: Stage, first: ChildProcess, options: DemoOptions): Promise<Play> {
  const { say } = options;
  const fact = `${WORDS[randomInt(WORDS.length)]}-${randomInt(100_000, 1_000_000)}`;
  const owner = stage.forge.as(OWNER);
  const { number } = await owner.createIssue(REPOSITORY, { title: ISSUE_TITLE, body: issueBody(fact) });
  say(
    `${OWNER} opens issue #${number} "${ISSUE_TITLE}" (with a random code word, ${fact}) and assigns ${DEV}.`,
  );
  await owner.assign(REPOSITORY, number, [DEV]);
  await tellDispatch(stage, 1, options);

  say(`${OWNER} comments: "${FOLLOW_UP}"`);
  await owner.comment(REPOSITORY, number, FOLLOW_UP);
  await tellDispatch(stage, 2, options);

  say('The service is killed with SIGKILL …');
  await kill(first);
  const killedAt = new Date().toISOString();
  const wiped = wipeCliFolders(stage.state);
  say(`… and the CLI's folders are deleted: ${wiped.length} folder(s), transcripts included.`);
  const service = await stage.startService();
  say('The service is started again.');
  say(`${OWNER} comments: "${RECALL}"`);
  await owner.comment(REPOSITORY, number, RECALL);
  await tellDispatch(stage, 3, options);
  return { service, fact, killedAt, wiped };
}

const WORDS = ['amber', 'birch', 'cobalt', 'dune', 'ember', 'fjord', 'garnet', 'heron'];

function wipeCliFolders(state: string): string[] {
  const conversations = join(state, 'conversations');
  const folders = readdirSync(conversations).map((name) => join(conversations, name));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  return folders.map((f) => f.slice(state.length + 1));
}

const DISPATCH_TIMEOUT_MS = 10 * 60_000;

/** Waits for the n-th dispatch to end and tells how it began and what the agent answered. */
async function tellDispatch(stage: Stage, n: number, { say, signal }: DemoOptions): Promise<void> {
  const row = await reading(stage, async (database) => {
    const deadline = Date.now() + DISPATCH_TIMEOUT_MS;
    let told = false;
    while (Date.now() < deadline) {
      const all = await dispatchRows(database);
      const dispatch = all[n - 1];
      if (dispatch?.continuity != null && !told) {
        say(`  dispatch ${n} runs: session ${dispatch.session_id} ${dispatch.continuity} …`);
        told = true;
      }
      if (dispatch !== undefined && ENDED.has(dispatch.state)) return dispatch;
      await sleep(100, undefined, { signal });
    }
    throw new Error(`Dispatch ${n} did not end within ${DISPATCH_TIMEOUT_MS / 60_000} minutes.`);
  });
  say(`  ${row.state}${row.reason === null ? '' : ` (${row.reason})`}: ${row.answer ?? 'no answer'}`);
}

const ENDED = new Set(['succeeded', 'unposted', 'failed', 'cancelled', 'parked']);

async function reading<T>(stage: Stage, work: (database: Database) => Promise<T>): Promise<T> {
  const database = openDatabase({ url: stage.database, readOnly: true });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

async function dispatchRows(database: Database): Promise<DispatchRow[]> {
  return await database.rows.selectFrom('dispatches').selectAll().orderBy('seq').execute();
}

async function prove(stage: Stage, play: Play): Promise<Omit<DemoReport, 'engine' | 'seconds' | 'folder'>> {
  const rows = await reading(stage, dispatchRows);
  const turns = turnsByDispatch(stage.model?.requests ?? [], rows);
  const dispatches = rows.map((row, i) => ({
    id: row.id,
    conversation: row.conversation_id,
    agent: row.agent,
    session: row.session_id ?? '',
    continuity: row.continuity ?? '',
    historyMessages: turns[i]?.[0]?.historyMessages ?? row.history_messages ?? 0,
    outcome: row.state,
  }));
  const last = rows.at(-1)!;
  const lastTurn = turns.at(-1)?.[0];
  return {
    dispatches,
    proof: {
      killedAt: play.killedAt,
      wiped: play.wiped,
      sameSession: rows.length === 3 && new Set(rows.map((r) => r.session_id)).size === 1,
      // Only what stands before the prompt counts: the history that reached the model, not what we say about it.
      recalledFact:
        lastTurn === undefined
          ? (last.answer ?? '').includes(play.fact)
          : JSON.stringify(lastTurn.messages.slice(0, lastTurn.historyMessages)).includes(play.fact),
      fact: play.fact,
      historyMessages: dispatches.at(-1)!.historyMessages,
      cost: stage.model === null ? null : coldAgainstWarm(turns[0]!, turns.at(-1)!),
    },
  };
}

/** The model's records of each dispatch's own turns, by the time the dispatch ran. */
function turnsByDispatch(requests: readonly RecordedRequest[], rows: DispatchRow[]): RecordedRequest[][] {
  const turns = requests.filter((r) => r.kind === 'turn');
  return rows.map((row) =>
    turns.filter((r) => r.at >= row.started_at! && r.at <= (row.ended_at ?? Infinity)),
  );
}

function tellProof(
  report: Omit<DemoReport, 'engine' | 'seconds' | 'folder'>,
  say: (line: string) => void,
): void {
  const { proof } = report;
  say('');
  say('Proof');
  say(`  one session through all dispatches:        ${proof.sameSession ? 'yes' : 'NO'}`);
  say(
    `  how each dispatch began:                   ${report.dispatches.map((d) => d.continuity).join(' → ')}`,
  );
  say(`  messages of history the model received:    ${proof.historyMessages}`);
  say(`  the code word ${proof.fact} was in that history: ${proof.recalledFact ? 'yes' : 'NO'}`);
  if (proof.cost !== null) {
    say(
      `  new input tokens of the last dispatch:     ${proof.cost.lastNewTokens} (${proof.cost.lastCachedTokens} more came from the prompt cache)`,
    );
    say(
      `  a fresh start would have cost:             ${proof.cost.freshTokens} new input tokens, ${proof.cost.freshRequests} requests to read up again`,
    );
  }
}
