/** What every engine promises about the life of its processes; isolation.test.ts is about what they see and may. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  argumentsOf,
  ended,
  PATH,
  processes,
  type Started,
  said,
  shell,
  sleepers,
  start,
  testFolder,
  uniqueNap,
  untilSleepers,
} from '../../test/support/contained.ts';
import { testEngines } from '../../test/support/engines.ts';
import { ENGINE_FAILED_EXIT_CODE, EngineFailed, LOCK_HELD_EXIT_CODE } from './container.ts';

const ENGINES = testEngines();

test('no engine is left out: the suite runs on all that can be configured', () => {
  const schema = JSON.parse(readFileSync(new URL('../../claude-hooks.schema.json', import.meta.url), 'utf8'));
  const configurable: string[] = schema.properties.container.properties.engine.anyOf[0].enum;
  expect(ENGINES.map(({ name }) => name).sort()).toEqual(configurable.filter((n) => n !== 'auto').sort());
  const adapters = readdirSync(import.meta.dirname).filter(
    (file) =>
      !file.includes('.test.') &&
      /^export (const|function) \w+Engine\b/m.test(readFileSync(join(import.meta.dirname, file), 'utf8')) &&
      file !== 'choose.ts',
  );
  expect(adapters.sort()).toEqual(['bubblewrap.ts', 'oci.ts', 'process.ts']);
});

/** A tool, one in a session of its own, one with a cleared environment, one whose parent is gone, one that is deaf. */
const tree = (nap: string) => `exec 2>/dev/null
  sleep ${nap} &
  setsid sleep ${nap} &
  env -i sleep ${nap} &
  env -i setsid sleep ${nap} &
  (sleep ${nap} &)
  (trap '' TERM; exec sleep ${nap}) &
  echo ready; wait`;
const TREE_SIZE = 6;

for (const engine of ENGINES) {
  describe.skipIf(!engine.need.ok)(engine.need.title(engine.name), () => {
    test('runs with exactly the environment it was given, the two marks, in its folder', async () => {
      process.env.WORKERS_OWN = 'not for agents';
      onTestFinished(() => void delete process.env.WORKERS_OWN);
      const started = await start(engine);
      const env = { ONE: '1', EMPTY: '', ODD: 'a b\'"$HOME`id`\n\\', HOME: '/state/home', HTTP_PROXY: 'x' };
      const child = shell(started, 'pwd; env -0', { env: { ...env, CLAUDE_HOOKS_DISPATCH: 'forged' } });
      const { out, code } = await ended(child);
      expect(code).toBe(0);
      const [cwd, ...rest] = out.split('\n');
      expect(cwd).toBe(started.inside);
      const variables = rest
        .join('\n')
        .split('\0')
        .filter((v) => v !== '');
      const seen = Object.fromEntries(
        variables.map((v) => [v.split('=', 1)[0], v.slice(v.indexOf('=') + 1)]),
      );
      // The shell's own.
      for (const name of ['PWD', 'OLDPWD', 'SHLVL', '_']) delete seen[name];
      expect(seen).toEqual({
        PATH,
        ...env,
        CLAUDE_HOOKS_INSTANCE: started.instance,
        CLAUDE_HOOKS_DISPATCH: started.dispatch,
      });
    });

    test('tells exit codes', async () => {
      const started = await start(engine);
      for (const code of [0, 1, 7, 143]) {
        const child = shell(started, `exit ${code}`);
        expect((await ended(child)).code).toBe(code);
        expect(child.exitCode).toBe(code);
      }
    });

    test.each([
      ['SIGTERM', 143],
      ['SIGINT', 130],
      ['SIGKILL', 137],
    ] as const)('passes %s to the command, also behind a lock', async (signal, code) => {
      const started = await start(engine);
      for (const lockFile of [null, join(testFolder(), 'lock')]) {
        const nap = uniqueNap();
        const child = shell(started, `echo ready; exec sleep ${nap}`, { lockFile });
        const end = ended(child);
        await untilSleepers(nap, 1);
        expect(child.kill(signal)).toBe(true);
        expect((await end).code).toBe(code);
        expect(child.killed).toBe(true);
        expect(child.kill(signal)).toBe(false);
        expect(sleepers(nap)).toEqual([]);
      }
    });

    test('is spoken to by stdin, and may end before it has heard everything', async () => {
      const started = await start(engine);
      const child = shell(started, 'read line; echo "heard $line"; head -c 1000000 | md5sum');
      const end = ended(child);
      child.stdin.write('one\n');
      child.stdin.write(Buffer.alloc(1_000_000, 'x'));
      const sum = createHash('md5').update(Buffer.alloc(1_000_000, 'x')).digest('hex');
      expect((await end).out).toBe(`heard one\n${sum}  -\n`);
      // An unheard EPIPE would end this test's process.
      child.stdin.write('two\n');
      await sleep(0);
    });

    test('a command that does not exist is no success', async () => {
      const { container } = await start(engine);
      const child = container.spawn({ command: '/nowhere/cli', args: [], env: {}, cwd: '/', lockFile: null });
      const how = await Promise.race([
        once(child as unknown as ChildProcess, 'error').then(([error]) => error.code),
        ended(child).then(({ code }) => code),
      ]);
      expect([1, 126, 127, 'ENOENT']).toContain(how);
    });

    test('a lock that is held ends the second at once with its own code, before it did anything', async () => {
      const lockFile = join(testFolder(), 'lock');
      const first = await start(engine);
      const second = await start(engine, { instance: first.instance });
      const nap = uniqueNap();
      await said(shell(first, `sleep ${nap} & echo ready; wait`, { lockFile }));
      // The shell says that it is ready while its child is still becoming `sleep`.
      await untilSleepers(nap, 1);
      const refused = await ended(shell(second, 'touch ran', { lockFile }));
      expect(refused.code).toBe(LOCK_HELD_EXIT_CODE);
      expect(existsSync(join(second.outside, 'ran'))).toBe(false);
      expect(sleepers(nap)).toHaveLength(1);
      await first.container.stop();
      expect((await ended(shell(second, 'touch ran', { lockFile }))).code).toBe(0);
      expect(existsSync(join(second.outside, 'ran'))).toBe(true);
    });

    test('stop ends the whole tree: sessions of their own, cleared environments, deaf ones', async () => {
      const nap = uniqueNap();
      const started = await start(engine);
      const child = shell(started, tree(nap));
      const end = ended(child);
      await untilSleepers(nap, TREE_SIZE);
      await started.container.stop();
      expect(sleepers(nap)).toEqual([]);
      expect((await end).code).not.toBe(0);
    });

    test('stop lets the command write its last lines', async () => {
      const started = await start(engine);
      const child = shell(
        started,
        `trap 'sleep 0.3; echo last line; exit 0' TERM; echo ready; while :; do sleep 0.05; done`,
        { lockFile: join(testFolder(), 'lock') },
      );
      const end = ended(child);
      await once(child.stdout, 'data');
      await started.container.stop();
      expect(await end).toMatchObject({ code: 0, out: 'ready\nlast line\n' });
    });

    test('stop ends what a command left behind that has ended itself', async () => {
      const nap = uniqueNap();
      const started = await start(engine);
      await ended(shell(started, `setsid sleep ${nap} >/dev/null 2>&1 </dev/null & echo ready`));
      await started.container.stop();
      expect(sleepers(nap)).toEqual([]);
    });

    test('stop is there for all who call it, again and again, with or without a process', async () => {
      const started = await start(engine);
      await started.container.stop();
      const nap = uniqueNap();
      shell(started, `exec sleep ${nap}`);
      await untilSleepers(nap, 1);
      await Promise.all([started.container.stop(), started.container.stop()]);
      expect(sleepers(nap)).toEqual([]);
      await started.container.stop();
    });

    test('two run at once; the end of one leaves the other alone', async () => {
      const one = await start(engine);
      const two = await start(engine, { instance: one.instance });
      const [napOne, napTwo] = [uniqueNap(), uniqueNap()];
      for (const [s, nap] of [
        [one, napOne],
        [two, napTwo],
      ] as const) {
        await said(shell(s, tree(nap), { lockFile: join(s.outside, 'lock') }));
      }
      await untilSleepers(napTwo, TREE_SIZE);
      await one.container.stop();
      expect(sleepers(napOne)).toEqual([]);
      expect(sleepers(napTwo)).toHaveLength(TREE_SIZE);
    });

    test('no value of the environment stands in an argument list of this machine', async () => {
      const started = await start(engine);
      const value = `value-${randomUUID()}`;
      await said(
        shell(started, 'echo ready; sleep 1000', {
          env: { SOME: value },
          lockFile: join(started.outside, 'lock'),
        }),
      );
      const lists = processes().map((pid) => argumentsOf(pid).join(' '));
      expect(lists.some((list) => list.includes('sleep 1000'))).toBe(true);
      expect(lists.filter((list) => list.includes(value))).toEqual([]);
    });

    test('the command dying in mid-run is its end', async () => {
      const started = await start(engine);
      const nap = uniqueNap();
      const child = shell(started, `exec sleep ${nap}`, { lockFile: join(started.outside, 'lock') });
      const end = ended(child);
      const [pid] = await untilSleepers(nap, 1);
      process.kill(pid!, 'SIGKILL');
      expect((await end).code).toBe(137);
    });

    test('the process we started dying in mid-run leaves nothing beside the next holder of the lock', async () => {
      const lockFile = join(testFolder(), 'lock');
      const started = await start(engine);
      const nap = uniqueNap();
      const child = shell(started, `exec sleep ${nap}`, { lockFile });
      const end = ended(child);
      await untilSleepers(nap, 1);
      process.kill((child as ChildProcess).pid!, 'SIGKILL');
      expect((await end).code).not.toBe(0);
      const next = await start(engine, { instance: started.instance });
      expect(await ended(shell(next, 'echo it runs', { lockFile }))).toMatchObject({ out: 'it runs\n' });
      expect(sleepers(nap)).toEqual([]);
      await started.container.stop();
    });

    test('an orphan is ended after its worker was killed; other instances keep theirs', async () => {
      const instance = `of ${randomUUID()}, "its" state`;
      const nap = uniqueNap();
      await killedWorker(engine.name, { instance, folder: testFolder(), script: tree(nap) });
      await untilSleepers(nap, 2 * TREE_SIZE);
      const other = await start(engine, { instance: `${instance}-other` });
      const theirs = uniqueNap();
      await said(shell(other, tree(theirs)));
      await untilSleepers(theirs, TREE_SIZE);

      expect((await engine.engine.reapOrphans(instance)).sort()).toEqual(['d-1', 'd-2']);
      expect(sleepers(nap)).toEqual([]);
      expect(sleepers(theirs)).toHaveLength(TREE_SIZE);
      expect(await engine.engine.reapOrphans(instance)).toEqual([]);
    });

    test('a mount that is not there is told with the remedy', async () => {
      const mounts = [{ source: '/nowhere/at all', target: '/nowhere/at all', access: 'read' as const }];
      const failed = start(engine, { mounts });
      await expect(failed).rejects.toThrow(EngineFailed);
      await expect(failed).rejects.toThrow(/nowhere\/at all.*Create it/);
    });
  });
}

/** Starts two dispatches, each under a lock, from a process of its own, and kills that without warning. */
async function killedWorker(
  name: string,
  o: { instance: string; folder: string; script: string },
): Promise<void> {
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const program = `
    import { testEngines } from ${url('../../test/support/engines.ts')};
    const { name, instance, folder, script } = JSON.parse(process.argv[1]);
    const { engine, image } = testEngines().find((e) => e.name === name);
    for (const dispatch of ['d-1', 'd-2']) {
      const container = await engine.start({
        instance, dispatch, image, mounts: [], user: null, network: 'none',
        limits: { memoryBytes: null, cpus: null, pids: 100 },
      });
      const child = container.spawn({
        command: '/bin/bash', args: ['--norc', '-c', script], env: { PATH: '/usr/bin:/bin' }, cwd: '/',
        lockFile: folder + '/' + dispatch,
      });
      child.stderr.pipe(process.stderr);
      await new Promise((resolve) => child.stdout.once('data', resolve));
    }
    console.log('ready');`;
  const worker = spawn(
    process.execPath,
    ['--input-type=module-typescript', '--eval', program, JSON.stringify({ name, ...o })],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => void worker.kill('SIGKILL'));
  const ready = await Promise.race([once(worker.stdout, 'data'), once(worker, 'exit')]);
  if (typeof ready[0] === 'number') throw new Error(`the worker ended with ${ready[0]}`);
  worker.kill('SIGKILL');
  await once(worker, 'exit');
}

for (const engine of ENGINES.filter(({ oci }) => oci !== null)) {
  describe.skipIf(!engine.need.ok)(engine.need.title(`${engine.name} alone`), () => {
    const withImage = async (image: string | null): Promise<Started> => await start({ ...engine, image });

    test('an image that is not there fails as the engine, not as the command', async () => {
      const started = await withImage('localhost/claude-hooks-no-such-image:1');
      const end = await ended(shell(started, 'true'));
      expect(end.code).toBe(ENGINE_FAILED_EXIT_CODE);
      expect(end.err).toContain('no-such-image');
    });

    test('no image is refused with the remedy', async () => {
      await expect(withImage(null)).rejects.toThrow(/Set container\.image/);
    });
  });
}
