/**
 * Signed deliveries with any mixture of ids, names, senders and words, before a forge with real rows, real HTTP and real
 * permissions: whatever is claimed, an agent is only woken by what the forge has, where the forge lets its author write.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { permissionOf } from '../../rehearsal/pocket-forge-access.ts';
import { startTrial, type Trial } from '../../rehearsal/pocket-forge-trial.ts';
import type { LoadedConfig } from '../../src/config/config.ts';
import type { Database } from '../../src/database/database.ts';
import type { DispatchContext } from '../../src/dispatch/screen/context.ts';
import { createGiteaFamilyClient } from '../../src/forges/gitea/client.ts';
import { acceptDelivery } from '../../src/inbox.ts';
import { silentLog } from '../../src/log.ts';
import { leaseConversation } from '../../src/mailbox/leases.ts';
import { settleDispatch } from '../../src/mailbox/settlement.ts';
import { routeNext } from '../../src/router.ts';
import { createTrust, type Trust } from '../../src/trust.ts';
import type { Workdir } from '../../src/workdir.ts';
import { changed, type Json } from '../fixtures/bodies.ts';
import { ConfigFolder, SMALL_CONFIG } from '../support/config-folder.ts';
import { openSqlite } from '../support/databases.ts';
import { dispatchOf, gatherAndScreen, gatherDepsOf } from '../support/gathering.ts';
import { forgeHeaders } from './happenings.ts';
import { holdsFor } from './seeded.ts';

const LOGINS = ['ada', 'bo', 'cy', 'root', 'dev-bot', 'review-bot'];
/** The first two are listed. In the second, ada may only read; the third is private. */
const REPOSITORIES = ['ada/widgets', 'cy/own', 'ada/secret'];
const MARKER = 'NEVER-SAID-ON-THE-FORGE';

let trial: Trial;
let config: LoadedConfig;
/** ids of comments that are really there */
const said: number[] = [];

beforeAll(async () => {
  const users = LOGINS.map((login) => ({ login, token: `${login}-token`, admin: login === 'root' }));
  trial = await startTrial({ users });
  const collaborators = ['dev-bot', 'review-bot'].map((login) => ({ login, permission: 'write' as const }));
  const files = { 'README.md': '# a\n' };
  await trial.forge.createRepository({ owner: 'cy', name: 'own', files, collaborators });
  await trial.forge.createRepository({ owner: 'ada', name: 'secret', private: true, files, collaborators });
  for (const login of ['dev-bot', 'review-bot']) {
    await trial.forge.as('ada').setCollaborator('ada/widgets', login, 'write');
  }
  for (const name of REPOSITORIES) {
    const [owner] = name.split('/');
    for (const assignees of [['dev-bot'], []]) {
      const issue = { title: 'Totals', body: 'It is off.', assignees };
      const { number } = await trial.forge.as(owner!).createIssue(name, issue);
      for (const login of name === 'ada/secret' ? ['ada'] : ['ada', 'bo', 'cy']) {
        const { id } = await trial.forge.as(login).comment(name, number, `@dev-bot I am ${login}.`);
        said.push(id);
      }
    }
  }
  using folder = new ConfigFolder(
    {
      'claude-hooks.yaml': SMALL_CONFIG.replace('https://forge.example.org/', trial.forge.url).replace(
        'team/shop',
        REPOSITORIES.slice(0, 2).join(', '),
      ),
      'flows/labels.yaml':
        '{ name: dev-labeled, on: [issue.labeled, issue.closed, issue.edited], agent: dev, skill: work-on-issue }',
    },
    { MODEL_KEY: 'k', HOOK_SECRET: 's', DEV_TOKEN: 'dev-bot-token', REVIEW_TOKEN: 'review-bot-token' },
  );
  config = folder.load();
});
afterAll(async () => {
  await trial.end();
});

const KINDS = [
  'created',
  'edited',
  'deleted',
  'assigned',
  'label_updated',
  'closed',
  'opened',
  'retold',
] as const;

/** Two places that should be one: most often they are, so that the walls behind this one are tried, too. */
function mixed(last: number) {
  const one = fc.nat(last).map((place) => ({ id: place, name: place }));
  const two = fc.record({ id: fc.nat(last), name: fc.nat(last) });
  return fc.oneof({ weight: 3, arbitrary: one }, { weight: 1, arbitrary: two });
}

/** What one delivery claims, by places in the lists above; the last place of each list is made up. */
const claim = fc.record({
  kind: fc.constantFrom(...KINDS),
  repository: mixed(REPOSITORIES.length),
  number: fc.constantFrom(1, 2, 99),
  comment: fc.nat(18),
  words: fc.constantFrom('true', 'made up'),
  sender: mixed(LOGINS.length),
  author: fc.option(fc.nat(LOGINS.length), { freq: 2 }),
  /** days */
  late: fc.integer({ min: -2, max: 2 }),
});
type Claim = typeof claim extends fc.Arbitrary<infer T> ? T : never;

function stateOf(name: string) {
  const { repositories, users } = trial.forge.state;
  return repositories.find((r) => `${users.find((u) => u.id === r.owner)!.login}/${r.name}` === name)!;
}

const idOf = (login: string | undefined) =>
  trial.forge.state.users.find((u) => u.login === login)?.id ?? 4711;

function bodyOf(c: Claim): { eventType: string; body: Json } {
  const name = REPOSITORIES[c.repository.name] ?? 'ada/made-up';
  const id = c.repository.id < REPOSITORIES.length ? stateOf(REPOSITORIES[c.repository.id]!).id : 999;
  const sender = { id: idOf(LOGINS[c.sender.id]), login: LOGINS[c.sender.name] ?? 'nobody' };
  const author =
    c.author === null ? sender : { id: idOf(LOGINS[c.author]), login: LOGINS[c.author] ?? 'nobody' };
  const comment = trial.forge.state.comments.find((one) => one.id === said[c.comment]);
  const body = c.words === 'true' && comment !== undefined ? comment.body : `@dev-bot ${MARKER}`;
  const at = new Date(Date.now() + c.late * 86_400_000).toISOString();
  const bot = { id: idOf('dev-bot'), login: 'dev-bot' };
  const fields: Json = {
    'repository.id': id,
    'repository.full_name': name,
    'sender.id': sender.id,
    'sender.login': sender.login,
    'issue.number': c.number,
    'issue.body': c.words === 'true' ? 'It is off.' : `@dev-bot ${MARKER}`,
    'issue.updated_at': at,
  };
  if (c.kind === 'created' || c.kind === 'edited' || c.kind === 'deleted') {
    return {
      eventType: 'issue_comment',
      body: changed('forgejo/built-pull-comment-created', {
        ...fields,
        action: c.kind,
        'comment.id': said[c.comment] ?? 99_999,
        'comment.body': body,
        'comment.user': author,
        'comment.updated_at': at,
        is_pull: false,
        pull_request: null,
        'issue.pull_request': null,
        changes: { body: { from: 'nothing' } },
      }),
    };
  }
  const type = { assigned: 'issue_assign', label_updated: 'issue_label' }[c.kind as string] ?? 'issues';
  return {
    eventType: type,
    body: changed('forgejo/built-issue-assigned', {
      ...fields,
      action: c.kind === 'retold' ? 'edited' : c.kind,
      'issue.user': author,
      'issue.assignee': null,
      'issue.assignees': [bot],
      'issue.labels': [{ name: 'bug' }],
      changes: { body: { from: 'nothing' } },
    }),
  };
}

function realTrust(): Trust {
  return createTrust({
    forges: () => config.forges,
    client: (home, agent) =>
      createGiteaFamilyClient({ name: 'home', url: home.url, token: home.accounts[agent]!.token }),
    now: Date.now,
    log: silentLog,
  });
}

const NOWHERE = {
  prepare: async (spec: { at: { branch?: string } }) => ({
    path: join(trial.desk, 'nowhere'),
    relay: null,
    branch: spec.at.branch ?? 'x',
    notes: [],
  }),
  // The default branch is unknown, so no file there keeps agents from working.
  knownHead: async () => null,
} as unknown as Workdir;

/** Everything that waits is leased and prepared to run; answers what would run. */
async function prepareAll(database: Database, trust: Trust): Promise<DispatchContext[]> {
  const contexts: DispatchContext[] = [];
  for (;;) {
    const now = Date.now() + 3_600_000;
    const agentLimits = new Map([...config.agents.keys()].map((name) => [name, 100]));
    const held = await leaseConversation(database, { worker: 'w', now, leaseMs: 60_000, agentLimits });
    if (held === null) return contexts;
    const { url, accounts } = config.forges.home!;
    const { token } = accounts[held.conversation.agent]!;
    const client = createGiteaFamilyClient({ name: 'home', url, token });
    const gathered = await gatherAndScreen(
      dispatchOf(held, config, client),
      gatherDepsOf({ database, trust, workdir: NOWHERE }),
    );
    if (gathered.kind === 'ready') contexts.push(gathered.context);
    expect(gathered.kind === 'refused' && gathered.tell).toBe(false);
    const settlement = { state: 'cancelled', reason: 'seen' } as const;
    await settleDispatch(database, held, { settlement, seen: null, unanswered: [], now });
  }
}

function violations(contexts: DispatchContext[]): string[] {
  const { comments, users, items } = trial.forge.state;
  return contexts.flatMap(({ repository, messages, item, comments: shown }) => {
    const broken: string[] = [];
    const state = stateOf(repository.fullName);
    if (!REPOSITORIES.slice(0, 2).includes(repository.fullName))
      broken.push(`runs in ${repository.fullName}`);
    if (String(state.id) !== repository.id) broken.push(`${repository.fullName} has the id of another`);
    for (const { event } of messages) {
      const user = users.find((u) => u.id === event.sender.id && u.login === event.sender.login);
      const may = user === undefined ? 'none' : permissionOf(state, user);
      if (!['write', 'admin', 'owner'].includes(may)) broken.push(`${event.sender.login} woke, with ${may}`);
      if (event.comment === null) continue;
      const comment = comments.find((c) => c.id === event.comment!.id);
      const on = items.find((i) => i.id === comment?.item);
      if (comment?.body !== event.comment.body) broken.push(`comment ${event.comment.id} has other words`);
      if (comment?.author !== event.sender.id) broken.push(`comment ${event.comment.id} is another's`);
      if (on?.repository !== state.id || on.number !== event.item?.number) broken.push('it is elsewhere');
    }
    const trusted = [item, ...shown].filter((text) => text.trusted);
    if (JSON.stringify(trusted).includes(MARKER)) broken.push('made-up words are shown as trusted');
    return broken;
  });
}

/** What is remembered of a mixture that is no account, and of people who may not. */
function wronglyRemembered(trust: Trust): string[] {
  const forge = config.forges.home!;
  return REPOSITORIES.flatMap((fullName) => {
    const state = stateOf(fullName);
    return trial.forge.state.users.flatMap((user) =>
      LOGINS.flatMap((login) => {
        const repository = { id: String(state.id), fullName };
        const question = { forge, repository, user: { id: user.id, login }, event: null };
        const isTrue =
          user.login === login && ['write', 'admin', 'owner'].includes(permissionOf(state, user));
        const known = trust.known(question);
        const isOurs = ['dev-bot', 'review-bot'].includes(login);
        return known?.allowed === true && !isTrue && !isOurs ? [`${login} (${user.id}) in ${fullName}`] : [];
      }),
    );
  });
}

async function holds(claims: Claim[]): Promise<void> {
  const database = await openSqlite();
  const trust = realTrust();
  await trust.checkIdentities();
  for (const one of claims) {
    const { eventType, body } = bodyOf(one);
    const deliveryId = randomUUID();
    await acceptDelivery(database.rows, {
      forge: 'home',
      forgeDeliveryId: deliveryId,
      source: 'webhook',
      headers: forgeHeaders(eventType, deliveryId),
      body: Buffer.from(JSON.stringify(body)),
      now: Date.now(),
    });
  }
  while (await routeNext({ database, config: () => config, trust, now: Date.now, log: silentLog }));
  expect(violations(await prepareAll(database, trust))).toEqual([]);
  expect(wronglyRemembered(trust)).toEqual([]);
  const rows = await database.rows
    .selectFrom('conversations')
    .select(['repository_id', 'repository_name'])
    .execute();
  for (const row of rows) expect(String(stateOf(row.repository_name).id)).toBe(row.repository_id);
  const left = await database.rows
    .selectFrom('deliveries')
    .select('reason')
    .where('state', '=', 'received')
    .execute();
  expect(left).toEqual([]);
}

const claims = fc.array(claim, { minLength: 1, maxLength: 8 });

test.each([4711, 20_261_128])('no forgery makes anything happen (seed %i)', async (seed) => {
  await holdsFor(claims, holds, { usually: 40, shrinkMs: 20_000, seed });
});

test('no forgery makes anything happen (a new seed each time)', async () => {
  await holdsFor(claims, holds, { usually: 20, shrinkMs: 20_000 });
});

test('and a true delivery does: the net is not simply closed', async () => {
  const id = said.findIndex((one) => {
    const { author, item } = trial.forge.state.comments.find((c) => c.id === one)!;
    const on = trial.forge.state.items.find((i) => i.id === item)!;
    return author === idOf('ada') && on.repository === stateOf('ada/widgets').id && on.number === 1;
  });
  const ada = LOGINS.indexOf('ada');
  const one: Claim = {
    ...{ kind: 'created', number: 1, comment: id, words: 'true', late: 0, author: null },
    repository: { id: 0, name: 0 },
    sender: { id: ada, name: ada },
  };
  const database = await openSqlite();
  const trust = realTrust();
  const { eventType, body } = bodyOf(one);
  await acceptDelivery(database.rows, {
    forge: 'home',
    forgeDeliveryId: 'd',
    source: 'webhook',
    headers: forgeHeaders(eventType, 'd'),
    body: Buffer.from(JSON.stringify(body)),
    now: Date.now(),
  });
  await routeNext({ database, config: () => config, trust, now: Date.now, log: silentLog });
  expect((await prepareAll(database, trust)).map((c) => c.messages.length)).toEqual([1]);
});
