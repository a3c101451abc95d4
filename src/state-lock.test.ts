import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { needs } from '../test/support/requirements.ts';
import { AlreadyRunning } from './errors.ts';
import { environmentOfHolder, isStateLocked, lockState } from './state-lock.ts';

function stateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'state');
}

const MODULE = new URL('state-lock.ts', import.meta.url).href;
const HOLDER = `
  import { lockState } from ${JSON.stringify(MODULE)};
  try {
    const lock = lockState(process.argv[1]);
    process.stdin.resume().once('end', () => lock.release());
    console.log('locked');
  } catch (error) {
    console.log(error.name + ': ' + error.message);
  }`;

/** Another process that takes the lock; answers what it said, and holds it until its stdin ends. */
async function holder(state: string, env = process.env): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', HOLDER, state], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = await once(child.stdout!, 'data');
  return { child, said: String(said).trim() };
}

const proc = needs('proc');
test.skipIf(!proc.ok)(proc.title('the variables of who holds it, and of nobody else'), async () => {
  const state = stateFolder();
  expect(environmentOfHolder(state)).toBe(null);
  await holder(state, { PATH: '/somewhere/bin', https_proxy: 'http://proxy.test:3128', MULTI: 'a=b\nc' });
  expect(environmentOfHolder(state)).toMatchObject({
    PATH: '/somewhere/bin',
    https_proxy: 'http://proxy.test:3128',
    MULTI: 'a=b\nc',
  });
  // As where the service runs in a container: its number is another process's here.
  writeFileSync(join(state, 'serve.json'), JSON.stringify({ pid: process.pid, since: '' }));
  expect(environmentOfHolder(state)).toBe(null);
});

describe('one service per state folder', () => {
  test('the second process is refused and told who holds it', async () => {
    const state = stateFolder();
    const first = await holder(state);
    expect(first.said).toBe('locked');
    expect(statSync(state).mode & 0o777).toBe(0o700);

    const second = await holder(state);
    expect(second.said).toMatch(
      new RegExp(
        `^AlreadyRunning: Another claude-hooks service \\(process ${first.child.pid}, since 20\\S+Z\\) owns the ` +
          `state folder ${state}\\. Stop it first, or give this one another "state" in its configuration\\.$`,
      ),
    );
    expect(() => lockState(state)).toThrow(AlreadyRunning);
    // Being refused changed nothing about the holder.
    expect(JSON.parse(readFileSync(join(state, 'serve.json'), 'utf8')).pid).toBe(first.child.pid);
    expect(() => lockState(state)).toThrow(`process ${first.child.pid},`);
  });

  test.each<[string, (child: ChildProcess) => void]>([
    ['SIGKILL', (child) => void child.kill('SIGKILL')],
    ['release', (child) => child.stdin!.end()],
  ])('the lock is free after %s of the first', async (_, end) => {
    const state = stateFolder();
    const { child } = await holder(state);
    const gone = once(child, 'exit');
    end(child);
    await gone;
    const lock = lockState(state);
    expect(JSON.parse(readFileSync(join(state, 'serve.json'), 'utf8')).pid).toBe(process.pid);
    lock.release();
    expect((await holder(state)).said).toBe('locked');
  });

  test('whether it is held can be seen without taking it', async () => {
    const state = stateFolder();
    expect(isStateLocked(state)).toBe(false);
    const first = await holder(state);
    expect(first.said).toBe('locked');
    expect(isStateLocked(state)).toBe(true);
    expect(readFileSync(join(state, 'serve.json'), 'utf8')).toContain(`"pid":${first.child.pid}`);
    first.child.stdin!.end();
    await once(first.child, 'exit');
    expect(isStateLocked(state)).toBe(false);
    lockState(state).release();
  });

  test('another folder is another lock', async () => {
    await holder(stateFolder());
    lockState(stateFolder()).release();
  });

  test('a lock file that is something else is not called a running service', () => {
    const state = stateFolder();
    mkdirSync(state);
    writeFileSync(
      join(state, 'serve.lock'),
      'no database, but long enough to be looked at as one'.repeat(100),
    );
    const locking = () => lockState(state);
    expect(locking).toThrow('not a database');
    expect(locking).not.toThrow(AlreadyRunning);
  });
});
