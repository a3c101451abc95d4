/**
 * What a fault may cost: over everything the model's side can refuse, one event makes at most twice the requests of a
 * healthy run, and holds up no other conversation. Told by rows and by the requests that reached the model.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { RecordedRequest } from '../rehearsal/model-record.ts';
import { parseModelScript } from '../rehearsal/model-script.ts';
import type { DispatchRow } from '../src/database/tables.ts';
import { needs } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY, usualConfig } from './support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc');
const sideBySide = { concurrent: true };
const WORD = 'The code word is heron-7.';

/** The word in a comment, and what the model's side does to every request whose prompt has it. */
const FAULTS: Record<string, string> = {
  POLICY: "refusal: { text: '' }",
  PROXY403: "error: { status: 403, message: 'Blocked by the web application firewall' }",
  FILTER: "error: { status: 400, message: 'Output blocked by content filtering policy' }",
  ECHOKEY: "error: { status: 400, message: 'rejected: invalid api key in the text' }",
  ODD: "error: { status: 422, message: 'temperature is too warm' }",
  TOOMUCH: "error: { status: 413, message: 'Request exceeds the maximum size' }",
};

const SCRIPT = `scenes:${Object.entries(FAULTS)
  .map(
    ([word, fault]) => `
  - name: ${word}
    when: { prompt: 'say ${word}' }
    steps: [{ text: Answered all the same., faults: [{ ${fault}, times: always }] }]`,
  )
  .join('')}
fallback: { text: Answered. }`;

async function on(script: string, config: object, story: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = await Stage.open({
    model: script,
    configText: (at) => {
      const model = { upstream: at.model, api_key: '${MODEL_KEY}', retries: 0 };
      return usualConfig({ model: '', config: { model, ...config } }, at);
    },
  });
  try {
    await story(stage);
  } finally {
    await stage.close();
  }
}

async function assign(stage: Stage, body: string): Promise<number> {
  const issue = await stage.forge.as(OWNER).createIssue(REPOSITORY, {
    title: 'An issue',
    body,
    assignees: [DEV],
  });
  return issue.number;
}

async function of(stage: Stage, number: number): Promise<DispatchRow[]> {
  const conversation = await stage.rows
    .selectFrom('conversations')
    .select('id')
    .where('item_number', '=', number)
    .executeTakeFirst();
  const all = await stage.dispatches();
  return all.filter((d) => d.conversation_id === conversation?.id && d.state !== 'cancelled');
}

/** The dispatch that a comment makes, when it is settled, and what of it reached the model. */
async function afterComment(
  stage: Stage,
  number: number,
  body: string,
): Promise<{ dispatch: DispatchRow; requests: RecordedRequest[]; sent: number }> {
  const before = (await of(stage, number)).length;
  await stage.forge.as(OWNER).comment(REPOSITORY, number, body);
  const dispatch = await stage.until(`the comment on ${number} is settled`, async () => {
    const row = (await of(stage, number))[before];
    return row !== undefined && ['succeeded', 'failed', 'parked'].includes(row.state) ? row : null;
  });
  const rows = await stage.rows
    .selectFrom('model_requests')
    .selectAll()
    .where('dispatch_id', '=', dispatch.id)
    .execute();
  const sent = rows.filter((row) => row.outcome !== 'capped');
  expect(sent.length).toBeGreaterThan(0);
  return {
    dispatch,
    requests: stage.turns.filter((r) => JSON.stringify(r.messages).includes(body)),
    sent: sent.length,
  };
}

async function sessions(stage: Stage, dispatch: DispatchRow) {
  const all = (await stage.sessions()).filter((s) => s.conversation_id === dispatch.conversation_id);
  return all.map((s) => s.state);
}

async function lastWords(stage: Stage, number: number): Promise<string> {
  const response = await fetch(`${stage.forge.url}/api/v1/repos/${REPOSITORY}/issues/${number}/comments`, {
    headers: { authorization: `token ${stage.env.DEV_TOKEN}` },
  });
  const comments = (await response.json()) as { user: { login: string }; body: string }[];
  return comments.filter((c) => c.user.login === DEV).at(-1)!.body;
}

/** In its order: a conversation with a past, the fault, an event of another conversation, a harmless comment. */
async function throughFault(stage: Stage, word: string, healthy: number): Promise<void> {
  const number = await assign(stage, WORD);
  await stage.until(
    `item ${number} is answered`,
    async () => (await of(stage, number))[0]?.state === 'succeeded',
  );
  const text = `Please say ${word} now.`;
  const faulty = await afterComment(stage, number, text);
  expect(faulty.sent, word).toBeLessThanOrEqual(2 * healthy);
  expect(faulty.dispatch.state, word).toBe(word === 'TOOMUCH' ? 'succeeded' : 'failed');
  expect(await lastWords(stage, number), word).toMatch(/set (the text|it) aside/);

  const next = await afterComment(stage, number, `Hello after ${word}?`);
  expect(await sessions(stage, next.dispatch), word).toEqual(['verified']);
  expect(next.dispatch, word).toMatchObject({ state: 'succeeded', continuity: 'resumed' });
  expect(next.sent, word).toBeLessThanOrEqual(2 * healthy);
  const history = JSON.stringify(next.requests.at(-1)!.messages);
  expect(history, word).toContain(WORD);
  expect(history, word).not.toContain(text);
}

describe.skipIf(!here.ok)(here.title('money'), sideBySide, () => {
  test('no refusal costs more than twice a healthy run, or a session, or another conversation its turn', async () => {
    await on(SCRIPT, {}, async (stage) => {
      await stage.start();
      const number = await assign(stage, WORD);
      await stage.untilDispatch(1, 'succeeded');
      const healthy = (await afterComment(stage, number, 'How is it going?')).sent;
      // Two by two: side by side they show that none waits for another, and a busy machine has time for them.
      const words = Object.keys(FAULTS);
      for (let at = 0; at < words.length; at += 2) {
        const pair = words.slice(at, at + 2);
        await Promise.all(pair.map((word) => throughFault(stage, word, healthy)));
      }
      await stage.settled();
      // Nobody waited for another: nothing was parked, and whatever was answered was answered at its first attempt.
      expect(await stage.rows.selectFrom('holds').selectAll().execute()).toEqual([]);
      const all = await stage.dispatches();
      expect(all.filter((d) => d.attempt !== 1)).toEqual([]);
      expect(await stage.rows.selectFrom('incidents').selectAll().execute()).toEqual([]);
    });
  });

  test('an outage is waited for however long it takes, holds up nobody else, and goes on by itself', async () => {
    const down = `scenes:
  - name: DOWN
    when: { prompt: 'DOWN' }
    steps: [{ text: Back again., faults: [{ error: { status: 503, message: away }, times: always }] }]
fallback: { text: Answered. }`;
    await on(down, {}, async (stage) => {
      await stage.start();
      const number = await assign(stage, `DOWN. ${WORD}`);
      const parked = async (troubles: number) =>
        await stage.until(`it waits for the ${troubles}th time`, async () => {
          const row = (await of(stage, number))[0];
          return row?.state === 'parked' && row.troubles === troubles ? row : null;
        });
      await parked(1);
      expect(await stage.rows.selectFrom('holds').selectAll().execute()).toEqual([]);
      // As after 40 attempts, long past the number at which trouble of unknown cause is given up.
      const file = new DatabaseSync(join(stage.state, 'claude-hooks.db'));
      file.exec('PRAGMA busy_timeout = 5000; UPDATE dispatches SET troubles = 40');
      file.close();
      await stage.endParks();
      const other = await assign(stage, 'Another issue.');
      const waits = await parked(41);
      expect(waits.due_at - waits.ended_at!).toBeLessThanOrEqual(900_000);
      expect(waits.reason).toContain('503');
      await stage.until(
        'the other is answered',
        async () => (await of(stage, other))[0]?.state === 'succeeded',
      );
      expect((await of(stage, other))[0]!.attempt).toBe(1);
      expect(stage.logged.join('')).toContain('goes on by itself');

      stage.model.use(parseModelScript('fallback: { text: Back again. }', 'back'));
      await stage.endParks();
      await stage.until('it is answered', async () => (await of(stage, number))[0]?.state === 'succeeded');
      expect(await lastWords(stage, number)).toMatch(/^Back again\./);
    });
  });
});
