import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { answerQuestions } from './answered-questions.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claude-hooks-questions-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = () => join(folder, '.claude.json');
const answered = async () => {
  await answerQuestions({ folder, cwd: '/work/shop', apiKey: 'sk-ant-a-key-that-ends-so' });
  return JSON.parse(readFileSync(file(), 'utf8'));
};

test('what the CLI would ask is answered, and what it keeps there for itself stays', async () => {
  writeFileSync(file(), JSON.stringify({ theme: 'light', numStartups: 3, projects: { '/x': { a: 1 } } }));
  const said = await answered();
  expect(said).toMatchObject({
    theme: 'light',
    numStartups: 3,
    hasCompletedOnboarding: true,
    customApiKeyResponses: { approved: ['t-a-key-that-ends-so'] },
    projects: { '/x': { a: 1 }, '/work/shop': { hasTrustDialogAccepted: true } },
  });
  expect(await answered()).toEqual(said);
});

test.each(['{', '[]', 'null', '{"projects":[],"customApiKeyResponses":{"approved":1}}'])(
  'a file that says %s does not keep a person out',
  async (text) => {
    writeFileSync(file(), text);
    expect(await answered()).toMatchObject({ projects: { '/work/shop': { hasTrustDialogAccepted: true } } });
  },
);

test('a link that an agent has put there is not followed', async () => {
  const elsewhere = join(folder, 'elsewhere');
  writeFileSync(elsewhere, '{"mine":true}');
  symlinkSync(elsewhere, file());
  expect(await answered()).not.toHaveProperty('mine');
  expect(lstatSync(file()).isFile()).toBe(true);
  expect(readFileSync(elsewhere, 'utf8')).toBe('{"mine":true}');
});
