/**
 * What is found by looking has the key that the webhook of the same happening has: every kind of event, on both kinds of
 * forge, played on a pocket forge whose hook is heard.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { PocketKind } from '../../../rehearsal/pocket-forge-kinds.ts';
import {
  cloneAs,
  commitAndPush,
  type Listener,
  REPO,
  SECRET,
  startListener,
  startTrial,
  type Trial,
} from '../../../rehearsal/pocket-forge-trial.ts';
import { type Played, playHour } from '../../../test/support/eventful-hour.ts';
import { EVENT_NAMES, type ForgeEvent } from '../../vocabulary.ts';
import type { ForgeChanges, Happened } from '../changes.ts';
import { readDeliveryHeaders } from '../delivery-headers.ts';
import { isNear, likenessOf } from '../likeness.ts';
import { parseDelivery } from '../parse-delivery.ts';
import { KITS } from '../registry.ts';
import { seenTextOf } from '../seen-text.ts';
import { TOLD_ELSEWHERE } from './twins.ts';

const START = Date.parse('2026-11-28T12:00:00.200Z');

let trial: Trial;
let listener: Listener;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
});
afterEach(async () => {
  vi.useRealTimers();
  await listener.end();
  await trial.end();
});

async function stage(kind: PocketKind) {
  const users = ['ada', 'bo', 'cy', 'dev-bot'].map((login) => ({ login, token: `${login}-token` }));
  trial = await startTrial({ kind, users });
  listener = await startListener();
  await trial.forge.as('ada').setCollaborator(REPO, 'dev-bot', 'write');
  await trial.forge.as('ada').addHook(REPO, { url: listener.url, secret: SECRET });
  const clone = await cloneAs(trial, 'bo');
  let now = START;
  const tick = () => {
    now += 60_000;
    vi.setSystemTime(now);
  };
  tick();
  const client = KITS[kind].client({ name: 'home', url: trial.forge.url, token: 'dev-bot-token' });
  const hour = { forge: trial.forge, repo: REPO, clone, owner: 'ada', writer: 'bo', agent: 'dev-bot', tick };
  return { hour, client };
}

function told(): ForgeEvent[] {
  return listener.received.flatMap(({ headers, raw }) => {
    const read = readDeliveryHeaders(headers as Record<string, string>);
    if (read.kind !== 'ok') throw new Error(read.reason);
    const outcome = parseDelivery('home', read.headers, raw);
    return outcome.kind === 'event' ? [outcome.event] : [];
  });
}

async function looked(client: ForgeChanges, played: Played, webhooks: ForgeEvent[]): Promise<Happened[]> {
  const since = new Date(START).toISOString();
  const found = await client.changedItems({ since, owner: null });
  if (found.kind !== 'items') throw new Error(found.why);
  expect(found.items.map(({ number }) => number).sort()).toEqual([...played.issues, ...played.pulls].sort());
  const happened: Happened[] = [];
  for (const { repository, number } of found.items) {
    const opened = webhooks.find((e) => e.name.endsWith('.opened') && e.item?.number === number)!;
    const seenText = seenTextOf(opened.item!);
    const history = await client.history({ forge: 'home', repository, number, since, seenText });
    if ('why' in history) throw new Error(history.why);
    happened.push(...history);
  }
  for (const sha of played.shas) {
    const results = await client.ciResults({ forge: 'home', repository: found.items[0]!.repository, sha });
    if (results.kind !== 'results') throw new Error(results.why);
    expect(results.isOver).toBe(true);
    happened.push(...results.happened);
  }
  return happened;
}

function isTold(event: ForgeEvent, happened: readonly Happened[]): boolean {
  const likeness = likenessOf(event);
  const saidAt = Date.parse(event.occurredAt);
  return happened.some(
    (one) =>
      (likenessOf(one.event) === likeness &&
        isNear(event.name, { saidAt, at: Date.parse(one.event.occurredAt) })) ||
      one.likenesses.some(
        (l) => l.likeness === likeness && isNear(event.name, { saidAt, at: Date.parse(l.at) }),
      ),
  );
}

describe.each(['forgejo', 'gitea'] as const)('what a look at %s finds', (kind) => {
  test('each webhook has its twin, by key or by likeness, and nothing was found that no webhook told', async () => {
    const { hour, client } = await stage(kind);
    const played = await playHour(hour);
    await trial.forge.settled();
    const webhooks = told();
    const names = new Set(webhooks.map(({ name }) => name));
    expect(EVENT_NAMES.filter((name) => !names.has(name))).toEqual([]);

    const happened = await looked(client, played, webhooks);
    const keys = new Set(happened.map(({ event }) => event.semanticKey));
    const asked = webhooks.filter(({ name, ci, comment }) => {
      // Of a comment that is gone the forge says nothing.
      if (comment?.id === played.deleted) return false;
      // Gitea tells a run twice, and shows it to owners only: its statuses say the same.
      const isRun = kind === 'gitea' && ci !== null && !ci.workflow.includes(' ');
      return name !== 'push' && name !== 'comment.deleted' && !isRun;
    });
    const byKey = asked.filter(({ semanticKey }) => keys.has(semanticKey));
    const others = asked.filter(({ semanticKey }) => !keys.has(semanticKey));
    expect(others.filter((event) => !isTold(event, happened)).map(describeEvent)).toEqual([]);
    expect(others.map(describeEvent)).toEqual(BY_LIKENESS[kind]);
    // Every kind that can be found is found by its key.
    const found = new Set(byKey.map(({ name }) => name));
    const isElsewhere = (name: string) => name === 'push' || name === 'comment.deleted';
    expect(EVENT_NAMES.filter((name) => !found.has(name) && !isElsewhere(name))).toEqual(['comment.edited']);
    expect(TOLD_ELSEWHERE).toContain('push');

    const toldKeys = new Set(webhooks.map(({ semanticKey }) => semanticKey));
    const invented = happened.filter(({ event }) => !toldKeys.has(event.semanticKey));
    const isAlike = ({ event, likenesses }: Happened) =>
      webhooks.some((one) => isTold(one, [{ event, likenesses }]));
    expect(invented.filter((one) => !isAlike(one)).map(({ event }) => describeEvent(event))).toEqual([]);

    await editsAlone(client, hour, played);
  });
});

test('what comes after a review with many remarks is found: they fill whole pages of the timeline', async () => {
  const { hour, client } = await stage('forgejo');
  const { forge, clone, tick } = hour;
  await commitAndPush(clone, { branch: 'feature', file: 'a.txt', content: 'a' });
  const pull = { title: 'Feature', body: 'b', head: 'feature', base: 'main' };
  const { number } = await forge.as('bo').openPull(REPO, pull);
  const comments = Array.from({ length: 120 }, (_, n) => ({
    path: 'README.md',
    body: `Remark ${n}.`,
    new_position: 1,
  }));
  await forge.as('ada').review(REPO, number, { event: 'COMMENT', body: 'Much to say.', comments });
  tick();
  await forge.as('ada').assign(REPO, number, ['dev-bot']);
  await forge.settled();
  const repository = { id: String(forge.state.repositories[0]!.id), fullName: REPO };
  const since = new Date(START).toISOString();
  const question = { forge: 'home', repository, number, since, seenText: null };
  const history = await client.history(question);
  if ('why' in history) throw new Error(history.why);
  const found = new Set(history.map(({ event }) => event.semanticKey));
  const names = ['pull.opened', 'review.submitted', 'pull.assigned'];
  expect(history.map(({ event }) => event.name)).toEqual(names);
  expect(
    told()
      .filter(({ name, semanticKey }) => names.includes(name) && !found.has(semanticKey))
      .map(({ name }) => name),
  ).toEqual([]);
});

/** Edits of what was known before: of a comment, which changes nothing on its item, and of a description. */
async function editsAlone(client: ForgeChanges, { tick }: { tick: () => void }, { issues }: Played) {
  const [, number] = issues as [number, number];
  const item = trial.forge.state.items.find((one) => one.number === number)!;
  const comment = trial.forge.state.comments.find((one) => one.item === item.id)!;
  const seenText = seenTextOf(item);
  tick();
  const since = new Date().toISOString();
  const before = listener.received.length;
  await trial.forge.as('ada').editComment(REPO, comment.id, 'An edited one, @dev-bot.');
  const repository = { id: String(item.repository), fullName: REPO };
  expect(await client.changedItems({ since, owner: 'ada' })).toMatchObject({ items: [] });
  expect(await client.changedItems({ since: new Date(START).toISOString(), owner: 'bo' })).toMatchObject({
    items: [],
  });
  expect(await client.changedItems({ since: new Date(START).toISOString(), owner: 'gone' })).toMatchObject({
    items: [],
  });
  expect(await client.changedComments(repository, since)).toMatchObject({ numbers: [number] });
  await trial.forge.as('ada').editIssue(REPO, number, { body: 'For @dev-bot.' });
  await trial.forge.settled();
  expect(listener.received.length).toBe(before + 2);
  const history = await client.history({ forge: 'home', repository, number, since, seenText });
  if ('why' in history) throw new Error(history.why);
  const keys = told()
    .slice(-2)
    .map((event) => [event.semanticKey, event.mentions]);
  expect(history.map(({ event }) => [event.semanticKey, event.mentions])).toEqual(
    expect.arrayContaining(keys),
  );
  expect(history.map(({ isSenderAssumed }) => isSenderAssumed)).toEqual([true, true]);
}

function describeEvent({ name, item, comment }: ForgeEvent): string {
  return `${name} #${item?.number}${comment === null ? '' : ` ${comment.body}`}`;
}

/** Born with assignees, or edited since: a webhook said what is not so any more, or a time the forge does not keep. */
const EDITED_SINCE = [
  'issue.opened #2',
  'comment.created #1 What about July, @dev-bot?',
  'comment.edited #1 What about August, @dev-bot?',
  'issue.edited #2',
];
const BY_LIKENESS = {
  forgejo: EDITED_SINCE,
  // Its first deliveries of a new issue have no time, and a PUT of labels lists the ones of before.
  gitea: [
    'issue.assigned #2',
    'issue.assigned #2',
    'issue.opened #2',
    'issue.labeled #1',
    ...EDITED_SINCE.slice(1),
  ],
};
