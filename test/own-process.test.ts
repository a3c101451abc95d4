import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OWN_PROCESS } from './support/own-process.ts';

const ROOT = join(import.meta.dirname, '..');

/** What a test does to the process that it runs in, and not to something of its own. */
const CHANGES_PROCESS =
  /\bprocess\.env\.\w+ *=[^=]|\bdelete process\.env|\bprocess\.(chdir|umask|sete?[ug]id)\b|\bvi\.(useFakeTimers|setSystemTime|spyOn|stub\w+|mock)\(|\bsetGlobalDispatcher\(|\bsetDefaultCACertificates\(/;

test('a file that shares its process changes nothing of it', () => {
  const own = new Set(globSync([...OWN_PROCESS], { cwd: ROOT }));
  const changing = globSync('{src,rehearsal,test}/**/*.test.ts', { cwd: ROOT })
    .filter((file) => !own.has(file))
    .filter((file) => CHANGES_PROCESS.test(readFileSync(join(ROOT, file), 'utf8')));
  expect(changing, 'Name them in test/support/own-process.ts.').toEqual([]);
});

test('every pattern of test/support/own-process.ts finds a file', () => {
  const idle = OWN_PROCESS.filter((pattern) => globSync(pattern, { cwd: ROOT }).length === 0);
  expect(idle, 'The files were moved or removed: correct the pattern.').toEqual([]);
});
