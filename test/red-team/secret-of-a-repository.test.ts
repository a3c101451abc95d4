/**
 * Whoever administers one repository knows the secret of its hook. With a secret for each repository that secret counts
 * there and nowhere else, also for a replay.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { replay } from '../../src/replay.ts';
import { explainDelivery } from '../../src/views/explain.ts';
import { changed } from '../fixtures/bodies.ts';
import { needs } from '../support/requirements.ts';
import { Stage } from '../support/service.ts';
import { DEV, OWNER, REPOSITORY } from '../support/service-config.ts';

const tools = needs('cli', 'git', 'flock', 'proc');
const SECRETS = { forge: 'stage-webhook-secret', own: 'secret-of-ada-other' };

let stage: Stage;
afterEach(() => stage.close());

/** ada/greeter under the forge's secret, ada/other with one of its own. */
async function open(): Promise<Stage> {
  stage = await Stage.open({
    model: '',
    config: { mailbox: { quiet_seconds: 86_400, max_wait_seconds: 86_400 } },
    forge: { repositories: [REPOSITORY, { name: 'ada/other', webhook_secret: SECRETS.own }] },
  });
  await stage.addRepository('other');
  await stage.start();
  return stage;
}

/** The issue is really there and really assigned: all that is wrong is who signed. */
async function assignedIn(repository: string): Promise<Buffer> {
  const found = stage.forge.state.repositories.find((r) => `${OWNER}/${r.name}` === repository)!;
  const users = stage.forge.state.users;
  const id = (login: string) => users.find((user) => user.login === login)!.id;
  const { number } = await stage.forge.as(OWNER).createIssue(repository, {
    title: 'Greeting is broken',
    body: 'MARK-of-another-repository',
    assignees: [DEV],
  });
  await stage.forge.settled();
  return Buffer.from(
    JSON.stringify(
      changed('forgejo/built-issue-assigned', {
        'repository.id': found.id,
        'repository.full_name': repository,
        'sender.id': id(OWNER),
        'sender.login': OWNER,
        'issue.number': number,
        'issue.assignees': [{ id: id(DEV), login: DEV }],
        // Later than what the forge itself said of it: another happening.
        'issue.updated_at': '2036-01-01T00:00:00Z',
      }),
    ),
  );
}

async function send(body: Buffer, secret: string) {
  const id = randomUUID();
  const answer = await fetch(`${stage.url}/webhooks/home`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-forgejo-delivery': id,
      'x-forgejo-event': 'issues',
      'x-forgejo-event-type': 'issue_assign',
      'x-forgejo-signature': createHmac('sha256', secret).update(body).digest('hex'),
    },
    body: new Uint8Array(body),
  });
  if (answer.status !== 202) return { status: answer.status, row: null };
  return { status: 202, row: await decided(id) };
}

async function decided(reference: string) {
  return await stage.until('it is decided', async () => {
    const row = await stage.rows
      .selectFrom('deliveries')
      .select(['id', 'state', 'reason', 'signed_for', 'source'])
      .where((e) => e.or([e('forge_delivery_id', '=', reference), e('id', '=', reference)]))
      .executeTakeFirstOrThrow();
    return row.state === 'received' ? null : row;
  });
}

async function conversationsIn(repository: string): Promise<number> {
  const found = await stage.rows
    .selectFrom('conversations')
    .select('id')
    .where('repository_name', '=', repository)
    .execute();
  return found.length;
}

describe.skipIf(!tools.ok)(tools.title('a secret of its own'), () => {
  test('counts for its repository; the secrets of others do not, and their deliveries take no meaning', async () => {
    await open();
    const body = await assignedIn('ada/other');
    const foreign = await send(body, SECRETS.forge);
    expect(foreign.row).toMatchObject({ signed_for: null, reason: expect.stringMatching(REFUSED) });
    expect(foreign.row!.state).not.toBe('routed');
    expect(await conversationsIn('ada/other')).toBe(0);
    const audit = await stage.rows.selectFrom('audit').selectAll().where('door', '=', 'trigger').execute();
    expect(audit).toMatchObject([
      { decision: 'denied', action: 'issue.assigned', reason: expect.stringMatching(REFUSED) },
    ]);
    const explained = await explainDelivery(stage.rows, foreign.row!.id);
    expect(explained.answers.join('\n')).toMatch(REFUSED);
    // The same happening, signed by the right one: it is not taken for a duplicate.
    const real = await send(body, SECRETS.own);
    expect(real.row).toMatchObject({ state: 'routed', signed_for: 'ada/other' });
    expect(await conversationsIn('ada/other')).toBe(1);
  });

  test('counts for no other repository, and a replay of it neither', async () => {
    await open();
    const body = await assignedIn(REPOSITORY);
    // The forge's own delivery of it.
    await stage.until('it has woken the agent', async () => (await conversationsIn(REPOSITORY)) === 1);
    const foreign = await send(body, SECRETS.own);
    expect(foreign.row).toMatchObject({ signed_for: 'ada/other', reason: expect.stringMatching(ELSEWHERE) });
    const again = await replay(stage.configFile, stage.env, { what: foreign.row!.id });
    expect(await decided(again.delivery)).toMatchObject({
      source: 'replay',
      signed_for: 'ada/other',
      reason: expect.stringMatching(ELSEWHERE),
    });
    expect(await conversationsIn(REPOSITORY)).toBe(1);
    const own = await send(body, SECRETS.forge);
    // Nobody was assigned anew, and that is all that is said of it.
    expect(own.row).toMatchObject({ signed_for: null, reason: expect.stringMatching(/^no flow wants it/) });
  });

  test('a payload that the operator replays from a file counts for both', async () => {
    await open();
    const body = await assignedIn('ada/other');
    stage.write({ 'payload.json': body.toString() });
    const given = { what: `${stage.folder}/payload.json`, event: 'issue_assign' };
    const { delivery } = await replay(stage.configFile, stage.env, given);
    expect(await decided(delivery)).toMatchObject({ state: 'routed', signed_for: '*' });
  });
});

const REFUSED =
  /it is about ada\/other and was signed with forges\.home\.webhook_secret, which does not count there/;
const ELSEWHERE =
  /it is about ada\/greeter and was signed with the own secret of ada\/other, which does not count there/;
