import { expect, test } from 'vitest';
import { isListed, secretHolderOf, secretPathOf, signersOf } from './listed-repositories.ts';

const forge = {
  name: 'home',
  webhookSecrets: ['new', 'old'],
  repositories: [
    { pattern: 'ada/plain', secrets: [] },
    { pattern: 'Ada/Own', secrets: ['own'] },
    { pattern: 'bo/*', secrets: ['of-bo'] },
    { pattern: 'bo/pears', secrets: ['of-pears'] },
    { pattern: 'bo/plums', secrets: [] },
  ],
};

test.each([
  ['ada/plain', null],
  ['ada/own', 'Ada/Own'],
  ['ADA/OWN', 'Ada/Own'],
  ['bo/apples', 'bo/*'],
  // The exact name counts before the owner, and an entry without a secret takes none away.
  ['bo/pears', 'bo/pears'],
  ['bo/plums', 'bo/*'],
  ['bob/pears', null],
])('the secret of %s is that of %s', (fullName, pattern) => {
  expect(secretHolderOf(forge, fullName)?.pattern ?? null).toBe(pattern);
});

test('every secret is somebody’s', () => {
  expect(signersOf(forge).map(({ secret, scope }) => [secret, scope])).toEqual([
    ['new', null],
    ['old', null],
    ['own', 'Ada/Own'],
    ['of-bo', 'bo/*'],
    ['of-pears', 'bo/pears'],
  ]);
});

test('what is listed, and where its secret stands', () => {
  expect(['ada/plain', 'ADA/own', 'bo/x', 'ada/other', 'bob/x'].map((name) => isListed(forge, name))).toEqual(
    [true, true, true, false, false],
  );
  expect(secretPathOf(forge, 'ada/plain')).toBe('forges.home.webhook_secret');
  expect(secretPathOf(forge, 'ada/own')).toBe('forges.home.repositories, entry Ada/Own, webhook_secret');
});
