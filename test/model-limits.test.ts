/**
 * What the service makes of the model's faults: parks, retries, refusals and the run timeout, on a first turn and on a
 * resumed one. What a single run makes of them is in model-faults.test.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../src/config/load.ts';
import { openDatabase } from '../src/database/database.ts';
import type { DispatchRow, MessageRow } from '../src/database/tables.ts';
import { silentLog } from '../src/log.ts';
import { networkOf } from '../src/network.ts';
import { dispatchDeps } from '../src/wiring/dispatching.ts';
import { forgeAccess } from '../src/wiring/forge-access.ts';
import { startWorker } from '../src/worker.ts';
import { needs } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY, usualConfig } from './support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc');
const sideBySide = { concurrent: true };
const WORD = 'The code word is heron-7.';

interface Settings {
  /** of claude-hooks.yaml */
  model?: Record<string, unknown>;
  config?: Record<string, unknown>;
}

async function on(scenes: string, settings: Settings, story: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = await Stage.open({
    model: `scenes:${scenes}\nfallback: { text: Answered. }`,
    configText: (at) => {
      const model = { upstream: at.model, api_key: '${MODEL_KEY}', retries: 0, ...settings.model };
      return usualConfig({ model: '', config: { model, ...settings.config } }, at);
    },
  });
  try {
    await story(stage);
  } finally {
    await stage.close();
  }
}

function scene(name: string, text: string, faults: string): string {
  return `
  - name: ${name}
    when: { prompt: '${name}' }
    steps: [{ text: '${text}', faults: [${faults}] }]`;
}

async function assign(stage: Stage, body: string): Promise<void> {
  await stage.forge.as(OWNER).createIssue(REPOSITORY, { title: 'An issue', body, assignees: [DEV] });
}

async function say(stage: Stage, number: number, body: string): Promise<void> {
  await stage.forge.as(OWNER).comment(REPOSITORY, number, body);
}

/** The newest dispatch of an item that was not merged away, and the messages of its conversation. */
async function look(
  stage: Stage,
  number: number,
): Promise<{ dispatch: DispatchRow | null; messages: MessageRow[] }> {
  const of = await stage.rows
    .selectFrom('conversations')
    .select('id')
    .where('item_number', '=', number)
    .execute();
  const dispatches = (await stage.dispatches()).filter((d) => d.conversation_id === of[0]?.id);
  const messages = (await stage.messages()).filter((m) => m.conversation_id === of[0]?.id);
  return { dispatch: dispatches.findLast((d) => d.state !== 'cancelled') ?? null, messages };
}

async function until(
  stage: Stage,
  number: number,
  state: DispatchRow['state'],
  nth = 1,
): Promise<DispatchRow> {
  return await stage.until(`item ${number} is ${state}`, async () => {
    const { dispatch, messages } = await look(stage, number);
    return messages.length >= nth && dispatch?.state === state ? dispatch : null;
  });
}

/** The agent's comments on an item, without our marks. */
async function answers(stage: Stage, number: number): Promise<string[]> {
  const response = await fetch(`${stage.forge.url}/api/v1/repos/${REPOSITORY}/issues/${number}/comments`, {
    headers: { authorization: `token ${stage.env.DEV_TOKEN}` },
  });
  const comments = (await response.json()) as { user: { login: string }; body: string }[];
  return comments.filter((c) => c.user.login === DEV).map((c) => c.body.split('\n\n<!--')[0]!);
}

async function states(stage: Stage, number: number): Promise<string[]> {
  return (await look(stage, number)).messages.map((m) => m.state);
}

/** What the model was asked about an item whose texts hold this word, request by request. */
function asked(stage: Stage, word: string): string[] {
  return stage.turns.map((r) => JSON.stringify(r.messages)).filter((m) => m.includes(word));
}

function times(text: string, part: string): number {
  return text.split(part).length - 1;
}

async function sessionsOf(stage: Stage, number: number): Promise<string[]> {
  const { dispatch } = await look(stage, number);
  const all = (await stage.sessions()).filter((s) => s.conversation_id === dispatch!.conversation_id);
  return all.map((s) => s.state);
}

const CREDIT = "message: 'Your credit balance is too low to access the Anthropic API.'";
const LIMITS = [
  ...['error: { status: 401 }', 'error: { status: 402 }'],
  ...['error: { status: 429 }', 'error: { status: 529 }', `error: { status: 400, ${CREDIT} }`],
].map((fault) => `{ ${fault} }`);
/** Seconds until the park's end, and the beginning of its reason: each limit of a dispatch doubles the wait. */
const PARKS: [number, string][] = [
  [300, 'Failed to authenticate. API Error: 401'],
  [300 * 2, ''],
  [60 * 4, 'API Error: Request rejected (429)'],
  [30 * 8, 'API Error: 529 Overloaded'],
  [3600, 'Credit balance is too low'],
];

/** The dispatch of item 1 meets every limit; `during` happens in the first park. */
async function throughLimits(stage: Stage, nth: number, during: () => Promise<void>): Promise<void> {
  for (const [index, [seconds, why]] of PARKS.entries()) {
    const dispatch = await stage.until(`park ${index + 1}`, async () => {
      const { dispatch, messages } = await look(stage, 1);
      return messages.length >= nth && dispatch?.state === 'parked' && dispatch.attempt === index + 1
        ? dispatch
        : null;
    });
    const park = await stage.rows
      .selectFrom('holds')
      .selectAll()
      .where('ended_at', 'is', null)
      .executeTakeFirstOrThrow();
    expect(park).toMatchObject({ scope: 'credential:model', until: park.at + seconds * 1000 });
    expect(park.reason).toMatch(new RegExp(`^${RegExp.escape(why)}`));
    expect(dispatch).toMatchObject({ due_at: park.until, reason: park.reason, troubles: 0 });
    expect((await states(stage, 1)).at(-1)).toBe('waiting');
    if (index === 0) await during();
    await stage.endParks();
    // Anything that is routed wakes the worker, which else looks every two seconds.
    await say(stage, 2, 'Nobody is asked here.');
  }
}

describe.skipIf(!here.ok)(here.title('a parked credential'), sideBySide, () => {
  test('holds everything up, loses nothing, and keeps the order; on a first turn and on a resumed one', async () => {
    const scenes =
      scene('ONCE MORE', 'Over again.', LIMITS.join(', ')) +
      scene('LIMITS', 'The limits are over.', LIMITS.join(', '));
    await on(scenes, { config: { worker: { concurrency: 1 } } }, async (stage) => {
      await stage.start();
      await assign(stage, `LIMITS. ${WORD}`);
      await stage.forge.as(OWNER).createIssue(REPOSITORY, { title: 'Nobody', body: '' });
      await throughLimits(stage, 1, async () => {
        await assign(stage, 'SECOND');
        await assign(stage, 'THIRD');
        await until(stage, 3, 'queued');
        await until(stage, 4, 'queued');
        expect(stage.turns.length).toBe(1);
      });
      await stage.settled();
      const order = stage.turns.map((r) => /LIMITS|SECOND|THIRD/.exec(r.prompt)![0]);
      expect(order).toEqual([...Array(6).fill('LIMITS'), 'SECOND', 'THIRD']);
      expect(times(asked(stage, 'LIMITS').at(-1)!, WORD)).toBe(1);

      await say(stage, 1, 'ONCE MORE, please.');
      await throughLimits(stage, 2, async () => {});
      await stage.settled();
      const last = asked(stage, 'ONCE MORE').at(-1)!;
      expect([times(last, WORD), times(last, 'ONCE MORE')]).toEqual([1, 1]);
      expect(await answers(stage, 1)).toEqual(['The limits are over.', 'Over again.']);
      expect(await states(stage, 1)).toEqual(['answered', 'answered']);
      expect(await sessionsOf(stage, 1)).toEqual(['verified']);
      expect(await stage.rows.selectFrom('incidents').selectAll().execute()).toEqual([]);
    });
  });
});

/** For the three attempts of one run. */
const CUT = "{ error: { status: 503, message: 'too busy to look' }, times: 3 }";
/** Of a 400 it does not know the CLI makes six requests; the gateway sends two of them. */
const ODD = "{ error: { status: 400, message: 'temperature is too warm' }, times: 2 }";
const DECLINED = /^The model refuses what was written here: .* I have set the text aside/;
const REFUSAL = /^I could not run: the model did not take this request; my session is kept\. The operator/;

/** It calls a tool, and has nothing to say then, not even when the CLI asks for a word. */
const MUTE = `
  - name: MUTE
    when: { prompt: 'MUTE' }
    steps:
      - tools: [{ name: Bash, input: { command: 'true' } }]
      - text: '{{ nothing }}'
  - name: asked-for-a-word
    when: { prompt: 'no visible output' }
    steps: [{ text: '{{ nothing }}' }]`;

describe.skipIf(!here.ok)(here.title('trouble with one request'), sideBySide, () => {
  test('puts off what may pass, refuses what will not and says so once, and holds up nobody else', async () => {
    const scenes = [
      scene('CUT AGAIN', 'Passed.', CUT) + scene('CUT FIRST', 'Passed.', CUT),
      scene('ODD AGAIN', 'Taken.', ODD) + scene('ODD FIRST', 'Taken.', ODD) + MUTE,
    ];
    await on(scenes.join(''), {}, async (stage) => {
      await stage.start();
      await assign(stage, WORD);
      await until(stage, 1, 'succeeded');
      await Promise.all([say(stage, 1, 'CUT AGAIN'), assign(stage, 'CUT FIRST')]);
      await stage.until('item 2 is there', async () => (await look(stage, 2)).dispatch);
      await assign(stage, 'ODD FIRST');
      for (const number of [1, 2]) {
        const parked = await until(stage, number, 'parked', number === 1 ? 2 : 1);
        expect(parked).toMatchObject({ troubles: 1, reason: expect.stringContaining('too busy to look') });
        expect((await states(stage, number)).at(-1)).toBe('waiting');
      }
      const failed = await until(stage, 3, 'failed');
      expect(await states(stage, 3)).toEqual(['declined']);
      expect(failed.reason).toContain('temperature is too warm');
      expect(await answers(stage, 3)).toEqual([expect.stringMatching(REFUSAL)]);
      expect(await stage.rows.selectFrom('holds').selectAll().execute()).toEqual([]);

      await stage.endParks();
      await say(stage, 3, 'Try again.');
      await stage.settled();
      for (const number of [1, 2, 3]) expect((await answers(stage, number)).at(-1)).toMatch(/Passed|Taken/);
      expect(await states(stage, 3)).toEqual(['declined', 'answered']);
      const taken = asked(stage, 'Try again.').at(-1)!;
      expect(times(taken, 'ODD FIRST')).toBe(1);
      const passed = asked(stage, 'CUT AGAIN').at(-1)!;
      expect([times(passed, WORD), times(passed, 'CUT AGAIN')]).toEqual([1, 1]);

      await say(stage, 1, 'ODD AGAIN');
      await until(stage, 1, 'failed', 3);
      await say(stage, 1, 'And now?');
      await stage.settled();
      expect((await answers(stage, 1)).slice(-2)).toEqual([expect.stringMatching(DECLINED), 'Answered.']);
      expect(await states(stage, 1)).toEqual(['answered', 'answered', 'declined', 'answered']);
      const now = asked(stage, 'And now?').at(-1)!;
      // The text that was refused is neither in the history nor in the new prompt, which names it.
      expect([times(now, WORD), times(now, 'CUT AGAIN'), times(now, 'ODD AGAIN')]).toEqual([1, 1, 0]);
      expect(times(now, 'set aside by claude-hooks')).toBe(1);

      await assign(stage, 'MUTE');
      await stage.settled();
      expect(await answers(stage, 4)).toEqual(['Finished without a written answer.']);
      for (const number of [1, 2, 3, 4]) expect(await sessionsOf(stage, number)).toEqual(['verified']);
    });
  });
});

/** Deliveries are routed by the service, which runs nothing: a conversation is quiet only after an hour. */
async function intake(stage: Stage, happens: () => Promise<void>, numbers: number[]): Promise<void> {
  const service = await stage.start();
  await happens();
  for (const number of numbers) await until(stage, number, 'queued');
  await stage.forge.settled();
  await service.stop();
}

/** Runs what is queued, as the service does it, with another time-out than whole minutes. */
async function work(
  stage: Stage,
  runTimeoutMs: number,
  during: () => Promise<void> = async () => {},
): Promise<void> {
  const file = new DatabaseSync(join(stage.state, 'claude-hooks.db'));
  file.exec('UPDATE dispatches SET due_at = 0');
  file.close();
  const config = loadConfig({ file: stage.configFile, env: stage.env });
  const database = openDatabase({ url: config.database.url });
  const options = { file: stage.configFile, env: stage.env, write: () => {} };
  const instance = readFileSync(join(stage.state, 'instance'), 'utf8');
  const given = {
    options,
    config: () => config,
    log: silentLog,
    database,
    network: networkOf(config),
    refresh: () => {},
    attempted: () => {},
    passed: () => {},
  };
  const deps = await dispatchDeps({ ...given, access: forgeAccess(given) }, instance);
  const worker = startWorker({ id: `${instance}:test`, concurrency: 2, leaseMs: 30_000, runTimeoutMs }, deps);
  try {
    await during();
    await stage.settled();
  } finally {
    await worker.drain(0);
    await deps.runner.gateway.close();
    await database.close();
  }
}

const STOPPED =
  'I was stopped after 60 minutes (worker.run_timeout_minutes) before I was done. Write here to let me go on.';

describe.skipIf(!here.ok)(here.title('a model that never answers'), sideBySide, () => {
  test('ends at the run timeout, a person is told once, and the next comment continues the session', async () => {
    const scenes =
      scene('HELD AGAIN', 'Going on.', '{ hold: { name: again, after: half } }') +
      scene('HELD FIRST', 'Going on.', '{ hold: { name: first, after: request } }');
    const quiet = { mailbox: { quiet_seconds: 3600, max_wait_seconds: 3600 } };
    await on(scenes, { model: { idle_seconds: 77 }, config: quiet }, async (stage) => {
      await intake(stage, () => assign(stage, WORD), [1]);
      await work(stage, 60_000);

      const both = async () => {
        await say(stage, 1, 'HELD AGAIN');
        await assign(stage, 'HELD FIRST');
      };
      await intake(stage, both, [1, 2]);
      await work(stage, 15_000, async () => {
        await Promise.all([stage.reached('again'), stage.reached('first')]);
        expect(await environments(stage)).toContain('CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS=77000');
        expect(await environments(stage)).toContain('API_TIMEOUT_MS=77000');
      });
      for (const number of [1, 2]) {
        const { dispatch } = await look(stage, number);
        expect(dispatch).toMatchObject({ state: 'failed', reason: 'the run took too long: 60 minutes' });
        expect((await answers(stage, number)).filter((a) => a === STOPPED)).toEqual([STOPPED]);
        expect((await states(stage, number)).at(-1)).toBe('declined');
      }
      expect(await stage.processes()).toEqual([]);

      const nextBoth = async () => {
        await say(stage, 1, 'And now?');
        await say(stage, 2, 'And now?');
      };
      await intake(stage, nextBoth, [1, 2]);
      await work(stage, 60_000);
      for (const number of [1, 2]) {
        expect((await answers(stage, number)).at(-1)).toMatch(/^Going on\./);
        expect((await states(stage, number)).at(-1)).toBe('answered');
        expect(await sessionsOf(stage, number)).toEqual(['verified']);
      }
      const resumed = asked(stage, 'HELD AGAIN').at(-1)!;
      expect([times(resumed, WORD), times(resumed, 'HELD AGAIN')]).toEqual([1, 1]);
      expect(times(asked(stage, 'HELD FIRST').at(-1)!, 'HELD FIRST')).toBe(1);
    });
  });
});

async function environments(stage: Stage): Promise<string[]> {
  const ids = await stage.processes();
  return ids.flatMap((id) => {
    try {
      return readFileSync(`/proc/${id}/environ`, 'utf8').split('\0');
    } catch {
      // The process has ended meanwhile.
      return [];
    }
  });
}
