/** Whom the shipped flows wake for each act of the table, with all five agents on the forge. */
import { afterAll, expect, test } from 'vitest';
import { ConfigFolder, SMALL_CONFIG, SMALL_ENV } from '../../test/support/config-folder.ts';
import {
  assignedEvent,
  ciFailedEvent,
  labeledEvent,
  reviewEvent,
  synchronizedEvent,
} from '../../test/support/sample-events.ts';
import { KITS } from '../forges/registry.ts';
import type { DecisionView, ForgeEvent, PullAct } from '../vocabulary.ts';
import { route } from './route.ts';

const OTHERS = ['boss', 'designer', 'design-reviewer'];
const accounts = OTHERS.map((name) => `      ${name}: { login: ${name}-bot, token: "\${DEV_TOKEN}" }\n`).join(
  '',
);
const folder = new ConfigFolder({ 'claude-hooks.yaml': `${SMALL_CONFIG}${accounts}` }, SMALL_ENV);
afterAll(() => folder[Symbol.dispose]());
const { flows, forges } = folder.load();
const agents = new Map(
  Object.entries(forges.home!.accounts).map(([name, { login }]) => [name, { name, login }] as const),
);

function woken(event: ForgeEvent, decision?: DecisionView, known: readonly string[] = []): string[] {
  const conversations = (agent: string) => ({
    exists: known.includes(agent),
    dispatches: 1,
    branch: null,
    itemNumber: null,
  });
  const senderIs = KITS.forgejo.accountOf(event.sender);
  const request = { event, agents, ids: new Map(), senderIs, bots: [], conversations, flows };
  const { matches, considered } = route({ ...request, ...(decision === undefined ? {} : { decision }) });
  expect(considered.filter((entry) => entry.verdict === 'condition-error')).toEqual([]);
  return matches.map((match) => `${match.agent}:${match.skill}`).sort();
}

function decided(act: PullAct, change: Partial<DecisionView> = {}): DecisionView {
  return { act, row: 'x', author: 'dev', ci: 'success', reviewers: ['reviewer'], ...change };
}

const succeeded: ForgeEvent = { ...ciFailedEvent(), name: 'ci.succeeded' };
const changes = reviewEvent({ verdict: 'changes_requested', body: 'No.' });
const approved = reviewEvent({ verdict: 'approved', body: '' });

test('CI passes: whoever has not reviewed the head is woken', () => {
  expect(woken(succeeded, decided('review'))).toEqual(['reviewer:review-pull']);
  expect(woken(succeeded, decided('review', { reviewers: ['reviewer', 'design-reviewer'] }))).toEqual([
    'design-reviewer:design-review',
    'reviewer:review-pull',
  ]);
  for (const act of ['wait', 'nothing', 'ask-person', 'leave-to-people', 'fix-ci'] as const) {
    expect(woken(succeeded, decided(act))).toEqual([]);
  }
});

test('what is to be done on a pull request goes to whoever opened it', () => {
  for (const author of ['dev', 'designer']) {
    expect(woken(succeeded, decided('rebase', { author }))).toEqual([`${author}:rebase`]);
    expect(woken(ciFailedEvent(), decided('fix-ci', { author }), [author])).toEqual([`${author}:fix-ci`]);
    expect(woken(changes, decided('address-review', { author }), [author])).toEqual([
      `${author}:address-review`,
    ]);
  }
});

test('past the cap of rounds a reviewer wakes nobody', () => {
  expect(woken(changes, decided('ask-person'), ['dev'])).toEqual([]);
});

test('new commits are reviewed at once only where no CI reports', () => {
  const row = 'unreviewed-without-ci';
  expect(woken(synchronizedEvent(), decided('wait', { row, ci: 'none' }), ['reviewer'])).toEqual([
    'reviewer:review-pull',
  ]);
  expect(woken(synchronizedEvent(), decided('wait', { row: 'ci-running' }), ['reviewer'])).toEqual([]);
  expect(woken(synchronizedEvent(), decided('review'), ['reviewer'])).toEqual(['reviewer:review-pull']);
});

test('the boss merges what is ready, and nothing else', () => {
  expect(woken(approved, decided('merge'))).toEqual(['boss:merge']);
  expect(woken(succeeded, decided('merge'))).toEqual(['boss:merge']);
  expect(woken(approved, decided('leave-to-people'))).toEqual([]);
});

test('design has its own agents', () => {
  expect(woken(labeledEvent('area:design'))).toEqual(['designer:design']);
  expect(woken(assignedEvent('designer-bot'))).toEqual(['designer:design']);
  expect(woken(labeledEvent('area:dashboard'))).toEqual([]);
});
