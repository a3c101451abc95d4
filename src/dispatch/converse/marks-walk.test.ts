/**
 * Every tool and every part of a prompt, by the code's own lists: each says whether it can show others' words, and each
 * that can marks the session when a stranger's words stand there. A tool or a part that this file does not know fails it.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { cloneAs, commitAndPush, REPO } from '../../../rehearsal/pocket-forge-trial.ts';
import { MarksStage, type RunningSession, STRANGER } from '../../../test/support/marks-stage.ts';
import { shownTo } from '../../../test/support/prompt-context.ts';
import { needs } from '../../../test/support/requirements.ts';
import { FORGE_TOOL_NAMES } from '../../broker.ts';
import { Words } from '../../config/words.ts';
import type { Forge } from '../../forges/forge.ts';
import type { Lease } from '../../mailbox/leases.ts';
import { PROMPT_PARTS } from './prompt-words.ts';
import type { PromptMaterial } from './prompts.ts';

type Material = PromptMaterial & { lease: Lease };

const here = needs('git');
const MARKER = 'MARKER-of-cy';

let stage: MarksStage;
/** everything on it is a stranger's: an issue, and a pull request from a fork */
const theirs = { issue: 0, pull: 0, head: '', comment: 0, job: 0, run: 0, adopted: 0, adoptedHead: '' };
/** ada's and the agents' own */
const ours = { issue: 0, pull: 0, head: '', job: 0 };
let lease: Lease;
let clock = Date.parse('2026-03-01T10:00:00Z');

function later(): void {
  clock += 10_000;
  vi.setSystemTime(clock);
}

beforeAll(async () => {
  if (!here.ok) return;
  vi.useFakeTimers({ toFake: ['Date'] });
  later();
  stage = await MarksStage.open();
  await plantTheirs();
  await plantOurs();
  later();
  lease = await stage.lease(ours.issue);
});
afterAll(async () => {
  await stage?.end();
  vi.useRealTimers();
});

const as = (login: string) => stage.trial.forge.as(login);

async function plantTheirs(): Promise<void> {
  const clone = await cloneAs(stage.trial, 'bo');
  theirs.head = await commitAndPush(clone, {
    branch: `feature-${MARKER}`,
    file: `${MARKER}.txt`,
    content: `${MARKER}\n`,
  });
  const { number } = await as(STRANGER).createIssue(REPO, { title: `T ${MARKER}`, body: `B ${MARKER}` });
  theirs.issue = number;
  theirs.comment = (await as(STRANGER).comment(REPO, number, `C ${MARKER}`)).id;
  const pull = { title: `T ${MARKER}`, body: `B ${MARKER}`, head: `feature-${MARKER}`, base: 'main' };
  theirs.pull = (await as(STRANGER).openPull(REPO, pull)).number;
  await as(STRANGER).review(REPO, theirs.pull, {
    event: 'COMMENT',
    body: `R ${MARKER}`,
    comments: [{ path: `${MARKER}.txt`, body: `I ${MARKER}`, new_position: 1 }],
  });
  const run = { sha: theirs.head, status: 'failure', workflow: `${MARKER}.yaml`, log: MARKER } as const;
  theirs.run = (await as('ada').actionRun(REPO, { ...run, pull: theirs.pull })).id;
  theirs.job = 1_000 + theirs.run;
  // Opened by ada, from the fork of a stranger.
  const branch = `adopted-${MARKER}`;
  theirs.adoptedHead = await commitAndPush(clone, { branch, file: 'adopted.txt', content: 'x\n' });
  const adopted = { title: 'Theirs, adopted', body: '', head: branch, base: 'main' };
  theirs.adopted = (await as('ada').openPull(REPO, adopted)).number;
  await as('bo').review(REPO, theirs.adopted, { event: 'APPROVED', body: 'Fine.' });
  await as('ada').actionRun(REPO, { ...run, sha: theirs.adoptedHead, pull: theirs.adopted });
  const isTheirs = (item: { number: number }) => [theirs.pull, theirs.adopted].includes(item.number);
  stage.change = (forge: Forge): Forge => ({
    ...forge,
    getItem: async (repository, n) => {
      const item = await forge.getItem(repository, n);
      if (!isTheirs(item) || item.pull === null) return item;
      return { ...item, pull: { ...item.pull, fork: true, headRepository: `${STRANGER}/widgets` } };
    },
  });
}

async function plantOurs(): Promise<void> {
  const { number } = await as('ada').createIssue(REPO, { title: 'Ours', body: 'Ours.' });
  ours.issue = number;
  await as('bo').comment(REPO, number, 'Also in May.');
  const clone = await cloneAs(stage.trial, 'bo');
  ours.head = await commitAndPush(clone, { branch: `dev/${number}`, file: 'ours.txt', content: 'ours\n' });
  const pull = { title: 'Ours', body: 'Ours.', head: `dev/${number}`, base: 'main' };
  ours.pull = (await as('dev-bot').openPull(REPO, pull)).number;
  await as('ada').review(REPO, ours.pull, { event: 'COMMENT', body: 'Fine.' });
  const run = { sha: ours.head, status: 'failure', workflow: 'ci.yaml', log: 'ours' } as const;
  ours.job = 1_000 + (await as('ada').actionRun(REPO, { ...run, pull: ours.pull })).id;
}

async function fresh(): Promise<RunningSession> {
  await forgetSessions();
  const session = await stage.session(lease);
  await session.begin(null);
  return session;
}

async function forgetSessions(): Promise<void> {
  await stage.database.rows.deleteFrom('session_marks').execute();
  await stage.database.rows.deleteFrom('sessions').execute();
}

type Input = Record<string, unknown>;
interface Walked {
  /** calls at a stranger's things */
  strange: () => Input[];
  /** calls that show nothing but what people with permission wrote; they mark nothing */
  clean?: () => Input[];
  /** answers that hold nothing of others: then the marker must not be in them. Else it must be, at least once */
  shows: 'others' | 'nothing';
}

const numbers = () => [{ number: theirs.issue }, { number: theirs.pull }];
const at = (more: Input) => () => numbers().map((one) => ({ ...one, ...more }));

const TOOLS: Record<string, Walked> = {
  read_item: {
    shows: 'others',
    strange: numbers,
    clean: () => [{ number: ours.issue }, { number: ours.pull }],
  },
  list_items: { shows: 'others', strange: () => [{}, { state: 'all' }] },
  list_comments: { shows: 'others', strange: numbers, clean: () => [{ number: ours.issue }] },
  list_reviews: {
    shows: 'others',
    strange: () => [{ number: theirs.pull }],
    clean: () => [{ number: ours.pull }],
  },
  list_ci_runs: {
    shows: 'others',
    strange: () => [{ number: theirs.pull }, {}],
    clean: () => [{ number: ours.pull }],
  },
  read_ci_log: { shows: 'others', strange: () => [{ job_id: theirs.job }], clean: () => [] },
  comment: { shows: 'nothing', strange: at({ text: 'x' }), clean: at({ text: 'x' }) },
  ask_person: { shows: 'nothing', strange: at({ question: 'x' }) },
  attach_picture: { shows: 'nothing', strange: at({ path: 'shot.png' }) },
  edit_comment: { shows: 'nothing', strange: () => [{ comment_id: theirs.comment, text: 'x' }] },
  react: { shows: 'nothing', strange: at({ reaction: 'eyes' }) },
  add_labels: { shows: 'nothing', strange: at({ labels: ['none'] }) },
  remove_labels: { shows: 'nothing', strange: at({ labels: ['none'] }) },
  assign: { shows: 'nothing', strange: at({ logins: ['bo'] }) },
  unassign: { shows: 'nothing', strange: at({ logins: ['bo'] }) },
  set_status: {
    shows: 'nothing',
    strange: () => [
      { number: theirs.pull, head_sha: theirs.head, state: 'success' },
      { number: theirs.issue, head_sha: theirs.head, state: 'success' },
    ],
  },
  open_pull: { shows: 'nothing', strange: () => [{ title: 'x', body: 'y' }] },
  update_pull: { shows: 'nothing', strange: at({ title: 'x' }) },
  request_review: { shows: 'nothing', strange: at({ logins: ['ada'] }) },
  submit_review: {
    shows: 'nothing',
    strange: () => [{ number: theirs.pull, head_sha: theirs.head, verdict: 'commented', body: 'x' }],
  },
  // It names the jobs that failed.
  merge: {
    shows: 'others',
    strange: () => [
      { number: theirs.pull, head_sha: theirs.head },
      { number: theirs.adopted, head_sha: theirs.adoptedHead },
    ],
  },
  create_issue: { shows: 'nothing', strange: () => [{ title: 'x', body: 'y' }] },
  wake_me: { shows: 'nothing', strange: () => [{ in_minutes: 60, reason: 'x' }] },
};

describe.skipIf(!here.ok)(here.title('every tool'), () => {
  test('is known here', () => {
    expect(Object.keys(TOOLS).toSorted()).toEqual([...FORGE_TOOL_NAMES].toSorted());
  });

  test.each(Object.keys(TOOLS))(
    '%s: no answer holds a stranger’s words unless the session is marked',
    async (name) => {
      const { strange, shows, clean } = TOOLS[name]!;
      let seen = 0;
      for (const input of strange()) {
        const session = await fresh();
        const { text } = await session.call(name, input);
        if (!text.includes(MARKER)) continue;
        seen += 1;
        expect(await session.places(), `${name} ${JSON.stringify(input)}`).not.toEqual([]);
        expect(session.marks.restriction()).toContain('it has read text by');
        const refused = await session.call('assign', { number: ours.issue, logins: ['bo'] });
        expect(refused).toMatchObject({
          isError: true,
          text: expect.stringContaining('only read and comment'),
        });
      }
      expect(seen > 0).toBe(shows === 'others');
      if (name === 'comment') return;
      for (const input of clean?.() ?? []) {
        const session = await fresh();
        expect((await session.call(name, input)).isError).toBe(false);
        expect(await session.places(), `${name} ${JSON.stringify(input)}`).toEqual([]);
      }
    },
  );

  test('read_ci_log of a job of our own pull request is its author’s; the same job is anybody’s elsewhere', async () => {
    const session = await fresh();
    await session.call('list_ci_runs', { number: ours.pull });
    expect((await session.call('read_ci_log', { job_id: ours.job })).text).toContain('ours');
    expect(await session.places()).toEqual([]);
    const joined = (await fresh()).again({ items: async () => [ours.issue, ours.pull] });
    expect((await joined.call('read_ci_log', { job_id: ours.job })).text).toContain('ours');
    expect(await joined.places()).toEqual([]);
    const elsewhere = (await fresh()).again({ items: async () => [ours.issue] });
    await elsewhere.call('read_ci_log', { job_id: ours.job });
    expect(await elsewhere.places()).toEqual([`log of CI job ${ours.job}`]);
  });

  test('words that one of our own agents wrote after it had read a stranger’s count as well', async () => {
    await as('review-bot').comment(REPO, ours.issue, 'I would say so, too.');
    const session = await fresh();
    await session.call('list_comments', { number: ours.issue });
    expect(await session.places()).toEqual([]);
    const other = { ...lease.conversation, id: '00000000-0000-4000-8000-000000000001', agent: 'reviewer' };
    await stage.database.rows.insertInto('conversations').values(other).execute();
    const { forge, repository_id } = other;
    await stage.database.rows
      .insertInto('conversation_items')
      .values({
        forge,
        repository_id,
        kind: 'issue',
        number: ours.issue,
        agent: 'reviewer',
        conversation_id: other.id,
      })
      .execute();
    await stage.session({ ...lease, conversation: other });
    await stage.database.rows
      .insertInto('session_marks')
      .values({
        session_id: (await newest(other.id)).id,
        conversation_id: other.id,
        author: STRANGER,
        place: 'comment 1 on #1',
        digest: 'd',
        source: 'prompt',
        dispatch_id: 'd',
        at: 1,
        inherited_from: null,
        lift_id: null,
      })
      .execute();
    await session.call('list_comments', { number: ours.issue });
    expect(session.marks.restriction()).toContain(`review-bot after it had read text by ${STRANGER}`);
  });
});

async function newest(conversationId: string) {
  return await stage.database.rows
    .selectFrom('sessions')
    .select('id')
    .where('conversation_id', '=', conversationId)
    .executeTakeFirstOrThrow();
}

/** Paths of everything a skill can print, `[]` for the members of a list. */
function leaves(value: unknown, at = ''): string[] {
  if (value instanceof Words) return [at];
  if (Array.isArray(value)) return value.flatMap((one) => leaves(one, `${at}[]`));
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([name, one]) => leaves(one, at === '' ? name : `${at}.${name}`));
  }
  return [at];
}

/** `messages[].event` is an event like the leading one; `messages[]` has our own words besides. */
function declared(path: string): string | undefined {
  const own = /^messages\[\]\.(id|flow|skill|priority|receivedAt)$/.test(path) ? 'fixed' : undefined;
  const name = path
    .replace(/^messages\[\]\.(with$|event)/, '$1')
    .replace(/^with\..*/, 'with')
    .replace(/\.replyTo\..*/, '.replyTo');
  // null now: what is below it is declared.
  const part = Object.entries(PROMPT_PARTS).find(([known]) => known === name || known.startsWith(`${name}.`));
  return own ?? part?.[1];
}

const materials = new Map<number, Promise<Material>>();

/** What happened is answered once, so each item is given to the agent once. */
async function materialFor(number: number): Promise<Material> {
  const known = materials.get(number) ?? makeMaterial(number);
  materials.set(number, known);
  return await known;
}

async function makeMaterial(number: number): Promise<Material> {
  later();
  return await stage.material(await stage.context(number === ours.issue ? lease : await stage.lease(number)));
}

async function marksOf(material: Material, form: 'full' | 'short' = 'full'): Promise<string[]> {
  await forgetSessions();
  const session = await stage.session(material.lease);
  await session.begin(material, form);
  return await session.places();
}

describe.skipIf(!here.ok)(here.title('every part of a prompt'), () => {
  test('is known, for an issue and for a pull request, in both forms', async () => {
    for (const number of [theirs.issue, theirs.pull, ours.issue]) {
      const material = await materialFor(number);
      const { snapshot } = material.context;
      const seen = { ...snapshot, title: 'before', commentIds: [], reviews: [] };
      for (const shown of [shownTo(material, 'full'), shownTo({ ...material, seen }, 'short')]) {
        const unknown = [...new Set(leaves(shown))].filter((path) => declared(path) === undefined);
        expect(unknown).toEqual([]);
      }
    }
  });

  test('that a stranger can fill marks the session, each alone', async () => {
    const { issue, pull } = theirs;
    const onIssue = await materialFor(issue);
    expect(await marksOf(onIssue)).toEqual([
      `title of #${issue}`,
      `description of #${issue}`,
      `comment ${theirs.comment} on #${issue}`,
    ]);
    const onPull = await marksOf(await materialFor(pull));
    expect(onPull).toEqual(
      expect.arrayContaining([
        `title of #${pull}`,
        `description of #${pull}`,
        `commits of #${pull}`,
        expect.stringMatching(/^review \d+ on #/),
        expect.stringMatching(/^inline comment \d+ on #/),
      ]),
    );
    const clean = await materialFor(ours.issue);
    expect(await marksOf(clean)).toEqual([]);
    // What one of ours edited, or somebody unknown, is nobody's that could be trusted.
    const [comment] = clean.context.comments;
    const voice = { ...comment!.voice, trusted: false, perhapsEdited: true };
    const disowned = { ...clean.context, comments: [{ ...comment!, voice, trusted: false }] };
    expect(await marksOf({ ...clean, context: disowned })).toEqual([
      `comment ${comment!.id} on #${ours.issue}`,
    ]);
    const editor = { ...comment!.voice, trusted: false, strangers: [{ id: 4711, login: 'mallory' }] };
    const edited = { ...clean.context, comments: [{ ...comment!, voice: editor, trusted: false }] };
    expect(await marksOf({ ...clean, context: edited })).toEqual([
      `comment ${comment!.id} on #${ours.issue}`,
    ]);
  });

  test('of the checkout counts where the item is another', async () => {
    const clean = await materialFor(ours.issue);
    const { context } = await materialFor(theirs.pull);
    const places = await marksOf({ ...clean, context: { ...clean.context, checkedOut: context.checkedOut } });
    expect(places).toEqual([`commits of #${theirs.pull}`]);
  });
});
