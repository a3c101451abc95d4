import { afterAll, describe, expect, test } from 'vitest';
import { ConfigFolder } from '../../test/support/config-folder.ts';
import {
  alice,
  assignedEvent,
  ciFailedEvent,
  commentEvent,
  devBot,
  labeledEvent,
  pushEvent,
  reviewBot,
  reviewEvent,
  reviewRequestedEvent,
  synchronizedEvent,
} from '../../test/support/sample-events.ts';
import { KITS } from '../forges/registry.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import { route } from './route.ts';

const folder = new ConfigFolder();
afterAll(() => folder[Symbol.dispose]());
const { flows, forges } = folder.load();
const agents = new Map(
  Object.entries(forges.home!.accounts).map(([name, { login }]) => [name, { name, login }] as const),
);

/** `dev:work-on-issue` for each agent woken; `known`: dispatches so far, by agent that has a conversation */
function woken(event: ForgeEvent, known: Record<string, number> = {}): string[] {
  const conversations = (agent: string) => ({
    exists: agent in known,
    dispatches: known[agent] ?? 0,
    branch: null,
    itemNumber: agent in known ? 12 : null,
  });
  const senderIs = KITS.forgejo.accountOf(event.sender);
  const request = { event, agents, ids: new Map(), senderIs, bots: [], conversations, flows };
  const { matches, considered } = route(request);
  expect(considered.filter((entry) => entry.verdict === 'condition-error')).toEqual([]);
  return matches.map((match) => `${match.agent}:${match.skill}`);
}

const changes = { verdict: 'changes_requested', body: 'Off by one remains.' } as const;
const remark = { verdict: 'commented', body: 'Nice.' } as const;
const onPull = { item: reviewEvent(changes).item, pull: reviewEvent(changes).pull };

describe('the developer', () => {
  test.each<[string, ForgeEvent, Record<string, number>, string[]]>([
    ['is assigned an issue', assignedEvent('dev-bot'), {}, ['dev:work-on-issue']],
    ['is assigned a pull request', assignedEvent('Dev-Bot', 'pull'), {}, ['dev:work-on-issue']],
    ['is not the one assigned', assignedEvent('alice'), {}, []],
    ['is mentioned', commentEvent('@dev-bot why?'), {}, ['dev:answer-comment']],
    [
      'is mentioned in a new issue',
      { ...commentEvent('@dev-bot'), name: 'issue.opened', comment: null },
      {},
      ['dev:answer-comment'],
    ],
    ['is not mentioned, and has no conversation', commentEvent('why?'), {}, []],
    ['is answered in its conversation', commentEvent('why?'), { dev: 1 }, ['dev:answer-comment']],
    [
      'is answered with a word to a colleague',
      commentEvent('as @bob said'),
      { dev: 1 },
      ['dev:answer-comment'],
    ],
    [
      'sees a comment for the reviewer',
      commentEvent('@review-bot again?', onPull),
      { dev: 1 },
      ['reviewer:answer-comment'],
    ],
    ['sees the reviewer comment', commentEvent('Hm.', { sender: reviewBot }), { dev: 1 }, []],
    ['sees its own comment', commentEvent('Done. @dev-bot', { sender: devBot }), { dev: 1 }, []],
    [
      'sees a robot comment',
      commentEvent('Built.', { sender: { id: -2, login: 'forgejo-actions' } }),
      { dev: 1 },
      [],
    ],
    ['gets changes requested by the reviewer', reviewEvent(changes), { dev: 1 }, ['dev:address-review']],
    [
      'gets changes requested by a person, however late',
      reviewEvent(changes, alice),
      { dev: 40 },
      ['dev:address-review'],
    ],
    [
      'gets changes requested by the reviewer often: the court counts, not the flow',
      reviewEvent(changes),
      { dev: 10 },
      ['dev:address-review'],
    ],
    ['gets a remark by a person', reviewEvent(remark, alice), { dev: 1 }, ['dev:address-review']],
    ['gets a remark by the reviewer', reviewEvent(remark), { dev: 1 }, []],
    ['is approved', reviewEvent({ verdict: 'approved', body: '' }, alice), { dev: 1 }, []],
    ["sees changes requested on somebody else's pull request", reviewEvent(changes, alice), {}, []],
    ['breaks CI', ciFailedEvent(), { dev: 1 }, ['dev:fix-ci']],
    ['broke CI with an older commit', ciFailedEvent({ headSha: 'c'.repeat(40) }), { dev: 1 }, []],
    ['breaks CI again and again: the court counts', ciFailedEvent(), { dev: 20 }, ['dev:fix-ci']],
    ['sees CI fail elsewhere', ciFailedEvent({ sender: alice }), {}, []],
    ['sees CI fail for no pull request', { ...ciFailedEvent(), item: null, pull: null }, {}, []],
    ['sees a push', pushEvent(), {}, []],
    ['sees a label', labeledEvent('bug'), { dev: 1 }, []],
  ])('%s', (_, event, known, expected) => {
    expect(woken(event, known)).toEqual(expected);
  });
});

describe('the reviewer', () => {
  const draft = synchronizedEvent();
  test.each<[string, ForgeEvent, Record<string, number>, string[]]>([
    ['is asked for a review', reviewRequestedEvent('review-bot'), {}, ['reviewer:review-pull']],
    ['is not the one asked', reviewRequestedEvent('alice'), { reviewer: 1 }, []],
    ['is assigned a pull request', assignedEvent('review-bot', 'pull'), {}, ['reviewer:review-pull']],
    ['is assigned an issue', assignedEvent('review-bot'), {}, []],
    [
      'sees new commits where it reviewed',
      synchronizedEvent(),
      { reviewer: 1, dev: 1 },
      ['reviewer:review-pull'],
    ],
    ['sees new commits elsewhere', synchronizedEvent(), {}, []],
    [
      'sees new commits often: the court counts',
      synchronizedEvent(),
      { reviewer: 10 },
      ['reviewer:review-pull'],
    ],
    [
      'sees a person push, however late',
      synchronizedEvent(alice),
      { reviewer: 10 },
      ['reviewer:review-pull'],
    ],
    ['sees new commits on a draft', { ...draft, pull: { ...draft.pull!, draft: true } }, { reviewer: 1 }, []],
    ['is mentioned on a pull request', commentEvent('@review-bot?', onPull), {}, ['reviewer:answer-comment']],
    ['is mentioned on an issue', commentEvent('@review-bot?'), {}, []],
    [
      'is mentioned together with the developer',
      commentEvent('@review-bot @dev-bot', onPull),
      {},
      ['dev:answer-comment', 'reviewer:answer-comment'],
    ],
    ['sees its own review', reviewEvent(changes), { reviewer: 1 }, []],
  ])('%s', (_, event, known, expected) => {
    expect(woken(event, known)).toEqual(expected);
  });
});
