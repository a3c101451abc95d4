import { expect, test } from 'vitest';
import { readLockFileApart, whyNot } from './read-apart.ts';

/** As pnpm 8 writes it; each package takes about 250 bytes. */
function pnpmLock(packages: number): string {
  const one = (n: number) =>
    `  /package-${n}@1.0.0:\n    resolution: {integrity: sha512-${'A'.repeat(86)}==}\n    engines: {node: '>=18'}\n    dependencies:\n      package-${n + 1}: 1.0.0\n    dev: true\n\n`;
  return `lockfileVersion: '6.0'\n\npackages:\n\n${Array.from({ length: packages }, (_, n) => one(n)).join('')}`;
}

test('a large lock file is read in another thread, and says the same', async () => {
  const text = pnpmLock(2000);
  // Processor time, because the machine may be busy with other tests.
  const began = process.threadCpuUsage().user;
  const read = await readLockFileApart({ path: 'a/pnpm-lock.yaml', text });
  const ms = (process.threadCpuUsage().user - began) / 1000;
  if ('problem' in read) throw new Error(read.problem);
  expect(read.locked).toHaveLength(2000);
  expect(read.locked[7]).toEqual({
    ecosystem: 'npm',
    name: 'package-7',
    version: '1.0.0',
    digests: [`sha512-${'A'.repeat(86)}==`],
  });
  // Half a megabyte of YAML takes several times this.
  expect(ms).toBeLessThan(100);
});

test.each([10, 300])('a lock file of %i packages that is none is a problem in words', async (packages) => {
  const text = `${pnpmLock(packages)}  ? [\n`;
  const read = await readLockFileApart({ path: 'pnpm-lock.yaml', text });
  expect(read).toEqual({ problem: expect.stringMatching(/^pnpm-lock\.yaml: it is not valid YAML/) });
});

test.each([
  ['memory', { code: 'ERR_WORKER_OUT_OF_MEMORY' }],
  ['time', { name: 'AbortError' }],
  ['the thread itself', { code: 'ERR_WORKER_INIT_FAILED' }],
])('where it fails for %s, the last sentence says what to do', (_, fields) => {
  const [remedy] = whyNot(Object.assign(new Error('no thread'), fields))
    .split('. ')
    .slice(-1);
  expect(remedy).toMatch(/^(Split|The next run).* set the policy `registry` for this repository\.$/);
});
