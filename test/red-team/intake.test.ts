/**
 * An attacker who knows the hook's secret (the forge shows it to every administrator of a repository that has the
 * hook) signs things that never happened. They go through the whole service and must have no effect.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainDelivery } from '../../src/views/explain.ts';
import { needs } from '../support/requirements.ts';
import { Stage } from '../support/service.ts';
import { DEV, OWNER, REPOSITORY, STRANGER } from '../support/service-config.ts';

// biome-ignore lint/suspicious/noExplicitAny: a webhook's body is a foreign JSON tree
type Json = Record<string, any>;

const here = needs('cli', 'git', 'flock', 'proc');
const CELLAR = 'ada/cellar';
/** listed, and without a hook: nothing of it is told by the forge */
const SHED = 'ada/shed';
const MARKER = 'HARMLESS-MARKER';

let stage: Stage;
let nobodyWasAsked: number;

beforeAll(async () => {
  if (!here.ok) return;
  stage = await Stage.open({
    model: 'fallback: { text: I have read it. }',
    forge: { repositories: [REPOSITORY, CELLAR, SHED] },
  });
  const collaborators = [{ login: DEV, permission: 'write' as const }];
  const files = { 'README.md': '# cellar\n' };
  await stage.forge.createRepository({ owner: OWNER, name: 'cellar', private: true, files, collaborators });
  await stage.addRepository('shed');
  await ada().createIssue(SHED, { title: 'Shed', body: 'It leaks.' });
  await stage.start();
  await stage.hook(CELLAR);
  for (const repository of [REPOSITORY, CELLAR]) {
    await ada().createIssue(repository, { title: 'Broken', body: 'It is broken.', assignees: [DEV] });
  }
  await stage.settled();
  nobodyWasAsked = stage.turns.length;
  expect(nobodyWasAsked).toBe(2);
});
afterAll(async () => {
  await stage?.close();
});

function named(repository: string): Json {
  const { id } = stage.forge.state.repositories.find((r) => `${OWNER}/${r.name}` === repository)!;
  return { id, full_name: repository };
}

const ada = () => stage.forge.as(OWNER);

/** The body of the newest real delivery of this kind, to be changed and signed. */
function realBody(eventType: string, repository = REPOSITORY): Json {
  const found = stage.forge.deliveries.findLast(
    (d) => d.eventType === eventType && (JSON.parse(d.body) as Json).repository.full_name === repository,
  );
  return JSON.parse(found!.body) as Json;
}

/** Signed with the real secret, under an id of its own; answers what was decided. */
async function deliver(eventType: string, body: Json | string) {
  const bytes = typeof body === 'string' ? body : JSON.stringify(body);
  const id = randomUUID();
  const response = await fetch(`${stage.url}/webhooks/home`, {
    method: 'POST',
    body: bytes,
    headers: {
      'content-type': 'application/json',
      'x-forgejo-delivery': id,
      'x-forgejo-event': eventType,
      'x-forgejo-event-type': eventType,
      'x-forgejo-signature': createHmac('sha256', stage.env.WEBHOOK_SECRET!).update(bytes).digest('hex'),
    },
  });
  expect(response.status).toBe(202);
  await stage.settled();
  return await explainDelivery(stage.rows, id);
}

async function audit(delivery: string) {
  const rows = await stage.rows.selectFrom('audit').selectAll().where('door', '=', 'trigger').execute();
  return rows.filter((row) => (JSON.parse(row.detail) as Json).delivery === delivery);
}

/** Nothing was run, posted, renamed or made, beyond what was there before. */
async function expectNothing(): Promise<void> {
  expect(stage.turns.length).toBe(nobodyWasAsked);
  const dev = stage.forge.state.users.find((u) => u.login === DEV)!.id;
  expect(stage.forge.state.comments.filter((c) => c.author === dev)).toHaveLength(2);
  const conversations = await stage.rows.selectFrom('conversations').select(['repository_name']).execute();
  expect(conversations.map((c) => c.repository_name).sort()).toEqual([CELLAR, REPOSITORY].sort());
  expect(JSON.stringify(stage.turns.map((turn) => turn.messages))).not.toContain(MARKER);
}

async function expectNotOnTheForge(explained: Awaited<ReturnType<typeof deliver>>): Promise<void> {
  const { messages, delivery } = explained;
  const reasons = [delivery.reason, ...messages.map((m) => m.reason)].filter((reason) => reason !== null);
  expect(reasons).toEqual([expect.stringMatching(/^not on the forge: /)]);
  expect(messages.map((m) => m.state).filter((state) => state !== 'declined')).toEqual([]);
  const rows = await audit(delivery.id);
  expect(rows.map((row) => [row.decision, row.reason])).toEqual([['denied', reasons[0]]]);
}

const commentBy = (login: string, fields: Json): Json => {
  const body = realBody('issue_comment');
  const user = stage.forge.state.users.find((u) => u.login === login)!;
  const author = { ...body.sender, id: user.id, login: user.login, username: user.login };
  return {
    ...body,
    action: 'created',
    sender: author,
    comment: { ...body.comment, user: author, ...fields },
  };
};

describe.skipIf(!here.ok)(here.title('signed, and not true'), () => {
  test('the id of a private repository with the name of a listed one', async () => {
    const real = commentBy(OWNER, { id: 9001, body: `@${DEV} ${MARKER}` });
    const cellar = realBody('issues', CELLAR).repository as Json;
    const mixed = { ...real, repository: { ...real.repository, id: cellar.id } };
    const { delivery, messages } = await deliver('issue_comment', mixed);
    expect(messages).toEqual([]);
    expect(delivery).toMatchObject({
      state: 'ignored',
      reason: expect.stringMatching(/^not the repository it says: /),
    });
    expect(await audit(delivery.id)).toHaveLength(1);
    await expectNothing();
    const turned = { ...real, repository: { ...cellar, id: real.repository.id } };
    expect((await deliver('issue_comment', turned)).delivery.reason).toMatch(/^not the repository it says/);
    await expectNothing();
  });

  test('a comment that exists nowhere, by somebody who may wake agents', async () => {
    const body = commentBy(OWNER, { id: 9002, body: `@${DEV} ${MARKER}` });
    await expectNotOnTheForge(await deliver('issue_comment', body));
    await expectNothing();
  });

  test('a comment by a sender who was made up: their id, and the login of another', async () => {
    const body = commentBy(OWNER, { id: 9003, body: `@${DEV} ${MARKER}` });
    const sender = { ...body.sender, id: 4711 };
    const made = { ...body, sender, comment: { ...body.comment, user: sender } };
    const { delivery, messages } = await deliver('issue_comment', made);
    expect([delivery.state, messages]).toEqual(['ignored', []]);
    expect(delivery.reason).toMatch(/^the account ada on home is not the one with the id 4711/);
    await expectNothing();
  });

  test('a comment of one of our own accounts that it never wrote', async () => {
    const body = commentBy('review-bot', { id: 9004, body: `@${DEV} ${MARKER}` });
    const { messages } = await deliver('issue_comment', body);
    expect(messages.filter((m) => m.state === 'answered')).toEqual([]);
    await expectNothing();
  });

  test('the id of a real comment with other words, and a stranger’s words under a person’s name', async () => {
    // A run that ada wakes may show these words, as those of eve. Never as ada's.
    const words = `@${DEV} WORDS-OF-EVE`;
    const { id } = await stage.forge.as(STRANGER).comment(REPOSITORY, 1, words);
    await stage.settled();
    await expectNothing();
    await expectNotOnTheForge(await deliver('issue_comment', commentBy(OWNER, { id, body: words })));
    const own = await ada().comment(REPOSITORY, 1, 'Only a note to myself, @somebody.');
    await stage.settled();
    nobodyWasAsked = stage.turns.length;
    const body = commentBy(OWNER, { id: own.id, body: `@${DEV} ${MARKER}` });
    await expectNotOnTheForge(await deliver('issue_comment', body));
    const read = JSON.stringify(stage.turns.map((turn) => turn.messages));
    expect(read).not.toContain(MARKER);
    expect(read.replaceAll(`comment by ${STRANGER} (not trusted)\\n${words}`, '')).not.toContain(words);
  });

  test('an assignment that nobody made', async () => {
    const { number } = await ada().createIssue(REPOSITORY, { title: 'Later', body: MARKER });
    await stage.settled();
    const opened = realBody('issues');
    expect(opened.issue.number).toBe(number);
    const bot = realBody('issue_assign').issue.assignees[0] as Json;
    const body = {
      ...opened,
      action: 'assigned',
      issue: { ...opened.issue, assignee: bot, assignees: [bot] },
    };
    await expectNotOnTheForge(await deliver('issue_assign', body));
    expect(stage.turns.length).toBe(nobodyWasAsked);
    const unseen = { ...body, issue: { ...body.issue, number: 4711, id: 4711 } };
    await expectNotOnTheForge(await deliver('issue_assign', unseen));
    expect(stage.turns.length).toBe(nobodyWasAsked);
  });

  test('a deletion of a comment that is there, and old deliveries under new ids', async () => {
    const asked = nobodyWasAsked;
    await ada().comment(REPOSITORY, 1, `@${DEV} what about the tests?`);
    await stage.settled();
    expect(stage.turns.length).toBe(asked + 1);
    const created = stage.forge.deliveries.findLast((d) => d.eventType === 'issue_comment')!.body;
    const before = await stage.rows.selectFrom('items').selectAll().orderBy('number').execute();
    const deleted = { ...(JSON.parse(created) as Json), action: 'deleted' };
    await expectNotOnTheForge(await deliver('issue_comment', deleted));
    for (const { eventType, body } of [...stage.forge.deliveries]) {
      const again = await deliver(eventType, body);
      expect(again.messages).toEqual([]);
    }
    // The same happening told anew: another time makes it another delivery, and no other comment.
    const body = JSON.parse(created) as Json;
    const edited = {
      ...body,
      action: 'edited',
      changes: { body: { from: 'nothing' } },
      comment: { ...body.comment, updated_at: '2026-01-01T00:00:00+00:00' },
    };
    const first = await deliver('issue_comment', edited);
    const turns = stage.turns.length;
    const again = { ...edited, comment: { ...edited.comment, updated_at: '2026-01-01T00:00:01Z' } };
    const second = await deliver('issue_comment', again);
    expect([...first.messages, ...second.messages].filter((m) => m.state === 'answered').length).toBeLessThan(
      2,
    );
    expect(stage.turns.length).toBe(turns);
    expect(await stage.rows.selectFrom('items').selectAll().orderBy('number').execute()).toEqual(before);
  });

  test('a true assignment told again after a made-up unassignment, and under another name', async () => {
    const { number } = await ada().createIssue(REPOSITORY, { title: 'Bob asks', body: 'Please.' });
    await stage.settled();
    const asked = stage.turns.length;
    await stage.forge.as('bob').assign(REPOSITORY, number, [DEV]);
    await stage.settled();
    expect(stage.turns.length).toBe(asked + 1);
    const real = realBody('issue_assign');
    const told = async (action: string, second: number, by: Json) => {
      const issue = { ...real.issue, updated_at: `2099-01-01T00:00:0${second}Z` };
      const gone = action === 'unassigned' ? { assignee: null, assignees: null } : {};
      return await deliver('issue_assign', { ...real, action, sender: by, issue: { ...issue, ...gone } });
    };
    await told('unassigned', 1, real.sender);
    const again = await told('assigned', 2, real.sender);
    expect(again.messages.map((m) => [m.state, m.reason])).toEqual([
      ['declined', expect.stringMatching(/^the same was told before, by delivery /)],
    ]);
    await told('unassigned', 3, real.sender);
    const adas = realBody('issues').sender as Json;
    expect(adas.login).toBe(OWNER);
    await expectNotOnTheForge(await told('assigned', 4, adas));
    expect(stage.turns.length).toBe(asked + 1);
  });

  test('made-up words around a true comment: the agent reads the forge’s', async () => {
    const { id } = await ada().comment(SHED, 1, `@${DEV} what is this?`);
    const asked = stage.turns.length;
    const body = commentBy(OWNER, { id, body: `@${DEV} what is this?`, html_url: MARKER });
    const repository = { ...body.repository, ...named(SHED) };
    const issue = { ...body.issue, number: 1, title: MARKER, body: MARKER, labels: [{ name: MARKER }] };
    const { messages } = await deliver('issue_comment', { ...body, repository, issue });
    expect(messages.map((m) => m.state)).toEqual(['answered']);
    expect(stage.turns.length).toBe(asked + 1);
    expect(JSON.stringify(stage.turns.at(-1)!.messages)).not.toContain(MARKER);
  });
});
