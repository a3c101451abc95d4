import { expect, test } from 'vitest';
import type { InlineComment, Review } from '../forges/forge.ts';
import type { ForgeUser, ReviewVerdict } from '../vocabulary.ts';
import { openPoints, roundsOf, verdictAtHead, vetoOf } from './verdicts.ts';

const USERS: Record<string, ForgeUser> = {
  reviewer: { id: 1, login: 'review-bot' },
  'design-reviewer': { id: 2, login: 'design-review-bot' },
  ada: { id: 10, login: 'ada' },
  bob: { id: 11, login: 'bob' },
};
const agentOf = ({ id }: ForgeUser) => (id === 1 ? 'reviewer' : id === 2 ? 'design-reviewer' : null);
const WORDS = { yes: 'approved', no: 'changes_requested', hm: 'commented' } as const;

/** `reviewer yes new`: who, what, and whether it was about the head (`new`) or an older commit (`old`). */
function reviews(...said: string[]): Review[] {
  return said.map((words, id) => {
    const [who, verdict, at] = words.split(' ') as [string, keyof typeof WORDS, string];
    return review({ id, author: USERS[who]!, verdict: WORDS[verdict], commitId: at });
  });
}

function review(partial: Partial<Review> & { author: ForgeUser; verdict: ReviewVerdict }): Review {
  return { id: 0, body: '', commitId: 'new', submittedAt: '', updatedAt: '', inline: [], ...partial };
}

const at = (given: Review[], needed = ['reviewer']) =>
  verdictAtHead({ reviews: given, headSha: 'new', agentOf, needed });

test.each<[string, string[], string]>([
  ['nobody', [], 'none'],
  ['only about an older commit', ['reviewer yes old'], 'none'],
  ['a person alone', ['ada yes new'], 'approved ada'],
  ['an approval', ['reviewer yes new'], 'approved reviewer'],
  ['the last one counts', ['reviewer yes new', 'reviewer no new'], 'changes_requested reviewer'],
  [
    'a word after an approval takes nothing back',
    ['reviewer yes new', 'reviewer hm new'],
    'approved reviewer',
  ],
  ['a review without a verdict', ['reviewer hm new'], 'commented reviewer'],
  ['a remark of a person is none', ['ada hm new'], 'none'],
])('%s', (_, said, expected) => {
  const { is, by } = at(reviews(...said));
  expect(`${is} ${by}`.trim()).toBe(expected);
});

test('an approval counts when every reviewer that is needed has looked, and names those who have not', () => {
  const both = ['reviewer', 'design-reviewer'];
  expect(at(reviews('reviewer yes new'), both)).toMatchObject({ is: 'none', missing: ['design-reviewer'] });
  expect(at(reviews('reviewer yes new', 'design-reviewer yes new'), both)).toMatchObject({ is: 'approved' });
  expect(at(reviews('reviewer yes new', 'design-reviewer no new'), both)).toMatchObject({
    is: 'changes_requested',
    by: 'design-reviewer',
  });
});

test('a veto is the last verdict of a person, however old the commit', () => {
  const veto = (...said: string[]) => vetoOf({ reviews: reviews(...said), agentOf })?.author.login ?? null;
  expect(veto('ada no old', 'reviewer yes new')).toBe('ada');
  expect(veto('ada no old', 'ada hm new')).toBe('ada');
  expect(veto('ada no old', 'ada yes new')).toBeNull();
  expect(veto('reviewer no new')).toBeNull();
  expect(veto('ada no old', 'bob no new', 'bob yes new')).toBe('ada');
});

test('rounds are counted since a person last gave a review', () => {
  const rounds = (...said: string[]) => roundsOf({ reviews: reviews(...said), agentOf });
  expect(rounds('reviewer no old', 'reviewer no old', 'reviewer yes new')).toBe(2);
  expect(rounds('reviewer no old', 'reviewer no old', 'ada hm old', 'reviewer no new')).toBe(1);
});

test('open points are the list of the last review that asks for changes, and its remarks on lines', () => {
  const author = USERS.reviewer!;
  const remark = { author, path: 'a.js', line: 3, body: 'Off by one.\nReally.' } as InlineComment;
  const given = [
    review({ author, verdict: 'changes_requested', body: '- old' }),
    review({
      author,
      verdict: 'changes_requested',
      body: `Two things:\n\n1. Grave: empty names.\n- Minor: ${'x'.repeat(300)}\n`,
      inline: [remark, { ...remark, author: USERS.ada!, body: 'I agree.' }],
    }),
    review({ author: USERS.ada!, verdict: 'changes_requested', body: '- of a person' }),
  ];
  const points = openPoints({ reviews: given, agentOf });
  expect(points).toEqual([
    'Grave: empty names.',
    expect.stringMatching(/^Minor: x+…$/),
    'a.js:3: Off by one.',
  ]);
  expect(points[1]).toHaveLength(160);
  expect(openPoints({ reviews: reviews('reviewer yes new'), agentOf })).toEqual([]);
});
