import { expect, test } from 'vitest';
import { failureText } from './failure-texts.ts';
import { keptPromises } from './promises.ts';

const NOTHING = { hasNews: false, newPull: false, reviewed: false, answered: false };

test('a promise is kept by what the forge took, and by nothing else', () => {
  expect(keptPromises(['head', 'pull', 'verdict', 'answer'], NOTHING)).toEqual([]);
  expect(keptPromises(['head', 'pull'], { ...NOTHING, answered: true, reviewed: true })).toEqual([]);
  expect(keptPromises(['head', 'pull'], { ...NOTHING, newPull: true })).toEqual(['pull']);
  expect(keptPromises(['verdict'], { ...NOTHING, reviewed: true })).toEqual(['verdict']);
  expect(keptPromises(['answer'], { ...NOTHING, answered: true, hasNews: true })).toEqual(['answer']);
});

test('the question names what was tried, in plain words', () => {
  const at = '2026-11-28T12:00:00.000Z';
  const text = failureText({
    kind: 'no-progress',
    tried: [
      { skill: 'work-on-issue', at, lacking: ['head', 'pull'] },
      { skill: 'fix-ci', at, lacking: ['head'] },
    ],
  });
  expect(text).toContain('I have run 2 times in a row without a result');
  expect(text).toContain(`${at}, work-on-issue: there should have been new commits or a pull request`);
  expect(text).toContain(`${at}, fix-ci: there should have been new commits`);
});
