import { expect, test } from 'vitest';
import { hasLogin, sameLogin } from './logins.ts';

test('case does not make another account, and nothing else is ignored', () => {
  expect(sameLogin('Dev-Bot', 'dev-bot')).toBe(true);
  expect(sameLogin('dev-bot', 'dev-bot ')).toBe(false);
  expect(sameLogin('dev-bot', 'dev_bot')).toBe(false);
  expect(hasLogin(['ada', 'DEV-bot'], 'dev-BOT')).toBe(true);
  expect(hasLogin(['ada'], 'dev-bot')).toBe(false);
  expect(hasLogin([], '')).toBe(false);
});
