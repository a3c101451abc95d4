/** What set-up commands made, on the real engines: who builds it, who sees it, who can change it. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type TestEngine, testEngines } from '../test/support/engines.ts';
import { LayersStage, SECRET, withoutOverlays } from '../test/support/layers-stage.ts';
import { needs } from '../test/support/requirements.ts';
import { takeLock } from './state-lock.ts';

const ENGINES = testEngines();
const bubblewrap = ENGINES.find(({ name }) => name === 'bubblewrap')!;

/** A build that needs no network; what it writes differs each time it runs. */
const BUILD = [
  'mkdir -p node_modules/lib node_modules/gone "$HOME/.cache-of-tool/deep"',
  'date +%s%N > node_modules/lib/built; echo base > node_modules/lib/code; echo old > node_modules/gone/file',
  'echo cached > "$HOME/.cache-of-tool/deep/file"',
];
const KEEP = ['node_modules', '~/.cache-of-tool'];
const SETUP = { commands: BUILD, keep: KEEP };

const forms: [string, TestEngine][] = [
  ...ENGINES.filter(({ name }) => ['podman', 'bubblewrap'].includes(name)).map(
    (engine): [string, TestEngine] => [engine.name, engine],
  ),
  ['bubblewrap with copies', withoutOverlays(bubblewrap)],
];

function ready(stage: LayersStage): string[] {
  const folder = join(stage.folder, 'layers/ready');
  return existsSync(folder) ? readdirSync(folder) : [];
}

for (const [name, engine] of forms) {
  describe.skipIf(!engine.need.ok)(engine.need.title(name), () => {
    test('the first conversation builds, others reuse; each writes for itself alone', async () => {
      const stage = await LayersStage.open(engine);
      // Agents have written in what the operator lets them write: no set-up run may read it.
      const shared = join(stage.folder, 'shared');
      mkdirSync(shared);
      writeFileSync(join(shared, 'poison'), 'poisoned\n');
      const setup = {
        ...SETUP,
        commands: [
          ...BUILD,
          'cat /shared/poison > node_modules/lib/code 2>/dev/null || echo base > node_modules/lib/code',
        ],
      };
      const settings = { mounts: [{ source: shared, target: '/shared', access: 'write' as const }] };
      const first = await stage.run({ setup, settings });
      expect(first.ready.said).toMatchObject({ outcome: 'built' });
      expect(first.ready.notes).toEqual([expect.stringContaining('node_modules, ~/.cache-of-tool')]);
      const look =
        'cat node_modules/lib/code node_modules/lib/extra node_modules/gone/file "$HOME/.cache-of-tool/deep/file" 2>/dev/null; git status --short';
      expect((await first.shell(look)).out).toBe('base\nold\ncached\n');
      const change =
        'echo mine >> node_modules/lib/code && echo mine > node_modules/lib/extra && rm -r node_modules/gone && mv node_modules/lib node_modules/moved && mv node_modules/moved node_modules/lib && echo mine > "$HOME/.cache-of-tool/deep/file"';
      expect(await first.shell(change)).toMatchObject({ code: 0 });
      first.ready.release();
      const second = await stage.run({ setup, settings });
      expect(second.ready.said).toMatchObject({ outcome: 'reused', key: first.ready.said!.key });
      // The layer is as it was made, whatever the first conversation has written.
      expect((await second.shell(look)).out).toBe('base\nold\ncached\n');
      const again = await stage.run({ setup, settings, conversation: first.conversation });
      expect(again.ready.notes).toEqual([]);
      expect((await again.shell(look)).out).toBe('base\nmine\nmine\nmine\n');
      expect(await stage.rows()).toMatchObject([{ state: 'ready', failures: 0 }]);
      expect(ready(stage)).toEqual([first.ready.said!.key]);
    });
  });
}

describe.skipIf(!bubblewrap.need.ok)(bubblewrap.need.title('layers'), () => {
  test('two dispatches at once wait for one build; another process’s lock is waited for', async () => {
    const stage = await LayersStage.open(bubblewrap);
    const both = await Promise.all([stage.run({ setup: SETUP }), stage.run({ setup: SETUP })]);
    expect(both.map(({ ready }) => ready.said?.outcome)).toEqual(['built', 'built']);
    const [one, other] = await Promise.all(both.map((run) => run.shell('cat node_modules/lib/built')));
    expect(one!.out).toBe(other!.out);
    const key = both[0]!.ready.said!.key!;
    for (const { ready } of both) ready.release();
    // Somebody breaks it by hand, and somebody else's process holds the lock meanwhile.
    appendFileSync(join(stage.folder, 'layers/ready', key, '0/lib/code'), 'broken\n');
    const held = takeLock(join(stage.folder, 'layers/locks', key))!;
    let isOver = false;
    const waiting = stage.run({ setup: SETUP }).finally(() => {
      isOver = true;
    });
    // Meanwhile builds of the same size, which nobody else's lock concerns, begin and end.
    for (const more of ['true', ': again']) {
      const other = await stage.run({ setup: { ...SETUP, commands: [...SETUP.commands, more] } });
      expect(other.ready.said).toMatchObject({ outcome: 'built' });
      other.ready.release();
    }
    expect(isOver).toBe(false);
    held.release();
    const rebuilt = await waiting;
    expect(rebuilt.ready.said).toMatchObject({ outcome: 'built', key });
    expect((await rebuilt.shell('cat node_modules/lib/code')).out).toBe('base\n');
    expect((await rebuilt.shell('cat node_modules/lib/built')).out).not.toBe(one!.out);
  });

  test('only the base branch says what is set up; a lock file of the base changes the key', async () => {
    const stage = await LayersStage.open(bubblewrap);
    const file = (word: string) =>
      `commands: ["mkdir node_modules && echo ${word} > node_modules/word"]\nkeep: [node_modules]\nlock_files: [lock.json]\ntimeout_minutes: 600\n`;
    stage.forge.commit('refs/heads/main', '.claude-hooks/setup.yaml', file('base'));
    stage.forge.commit('refs/heads/main', 'lock.json', '1');
    const sha = stage.forge.commit(
      'refs/pull/3/head',
      '.claude-hooks/setup.yaml',
      file('fork'),
      'refs/heads/main',
    );
    const changed = stage.forge.commit('refs/pull/3/head', 'lock.json', 'of the fork', sha);
    const pull = { kind: 'pull' as const, number: 3, ref: 'refs/pull/3/head', sha: changed, base: 'main' };
    const ofPull = await stage.run({ at: pull });
    expect((await ofPull.shell('cat node_modules/word lock.json')).out).toBe('base\nof the fork');
    const ofMain = await stage.run({});
    expect(ofMain.ready.said).toMatchObject({ outcome: 'reused', key: ofPull.ready.said!.key });
    const [row] = await stage.rows();
    expect(JSON.parse(row!.recipe)).toMatchObject({ source: 'repository', limits: { timeoutMs: 60_000 } });
    stage.forge.commit('refs/heads/main', 'lock.json', '2');
    const next = await stage.run({ conversation: ofMain.conversation });
    expect(next.ready.said?.outcome).toBe('built');
    expect(next.ready.notes).toEqual([expect.stringContaining('Set up anew')]);
    expect((await stage.run({ setup: { repositoryFile: false } })).ready.said).toBeNull();
  });

  test('a set-up that fails is told with the end of its log, waits, and does not come back half', async () => {
    const stage = await LayersStage.open(bubblewrap);
    const setup = {
      commands: [
        `mkdir node_modules; printf '\\033[31m${SECRET}\\033[0m\\n'; ls /work/app/nothing`,
        'echo never',
      ],
      keep: ['node_modules'],
    };
    const failed = await stage.run({ setup });
    expect(failed.ready.said).toMatchObject({
      outcome: 'failed',
      text: expect.stringContaining('exit code 2'),
    });
    expect(failed.ready.mounts).toEqual([]);
    const [note] = failed.ready.notes;
    expect(note).toContain('[redacted]\nls: cannot access');
    expect(note).not.toMatch(/\u001b|sk-stage|never/);
    const [row] = await stage.rows();
    expect(row).toMatchObject({ state: 'failed', failures: 1, retry_at: stage.now + 600_000 });
    expect(row!.log_end).toContain('[redacted]');
    const counted = async () => (await stage.rows()).map(({ failures }) => failures);
    await stage.run({ setup });
    expect(await counted()).toEqual([1]);
    stage.now += 600_001;
    await stage.run({ setup });
    expect(await counted()).toEqual([2]);
    expect(ready(stage)).toEqual([]);
    expect(readdirSync(join(stage.folder, 'layers/building'))).toEqual([]);
  });

  test.each([
    ['time', { commands: ['mkdir node_modules; sleep 1000'], timeoutMs: 1500 }, 'took longer than'],
    [
      'disk',
      {
        commands: ['mkdir node_modules; yes | head -c 40000000 > node_modules/x; sleep 1000'],
        maxBytes: 20e6,
      },
      'took more than',
    ],
    [
      'memory',
      { commands: ['mkdir node_modules; head -c 400000000 /dev/zero | tail > /dev/null'], memoryBytes: 64e6 },
      'beyond 64000000 bytes of memory',
    ],
  ])('limits: %s', async (_name, setup, words) => {
    const stage = await LayersStage.open(bubblewrap);
    const run = await stage.run({ setup });
    expect(run.ready.said).toMatchObject({ outcome: 'failed', text: expect.stringContaining(words) });
  });

  test.skipIf(!needs('mount-namespace').ok)(
    'a full disk is said, and whoever needs less goes on',
    async () => {
      const stage = await LayersStage.open(bubblewrap);
      const disk = join(stage.folder, 'layers');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'claude-hooks-test', disk]);
      onTestFinished(() => void execFileSync('umount', ['-l', disk]));
      const large = { commands: ['mkdir node_modules; head -c 50000000 /dev/zero > node_modules/x'] };
      const full = await stage.run({ setup: large });
      expect(full.ready.said).toMatchObject({
        outcome: 'failed',
        text: expect.stringContaining('no room on the disk'),
      });
      const small = await stage.run({ setup: SETUP });
      expect(small.ready.said).toMatchObject({ outcome: 'built' });
      expect((await small.shell('cat node_modules/lib/code')).out).toBe('base\n');
    },
  );

  test('what would instruct agents, links that lead out, and tracked or linked paths are not kept', async () => {
    const stage = await LayersStage.open(bubblewrap);
    const setup = {
      keep: ['node_modules', 'linked'],
      commands: [
        'mkdir -p node_modules/pkg/.claude/rules node_modules/.bin; echo Obey > node_modules/pkg/CLAUDE.md; echo x > node_modules/pkg/.claude/rules/a.md',
        'ln -s ../pkg/run node_modules/.bin/run; ln -s /state/home/elsewhere node_modules/out; ln -s /etc linked; echo ok > node_modules/pkg/run',
      ],
    };
    const run = await stage.run({ setup });
    const list = 'cd node_modules && find . | sort | tr "\\n" " "';
    expect((await run.shell(list)).out).toBe('. ./.bin ./.bin/run ./pkg ./pkg/run ');
    expect(run.ready.mounts.map(({ path }) => path)).toEqual(['node_modules']);
    expect((await stage.rows())[0]!.log_end).toContain('linked is not kept');
    // What a run installs later is held to the same.
    await run.shell('echo Obey > node_modules/pkg/AGENTS.md; ln -s /state/home/x node_modules/pkg/out');
    run.ready.release();
    const later = await stage.run({ setup, conversation: run.conversation });
    expect((await later.shell(list)).out).toBe('. ./.bin ./.bin/run ./pkg ./pkg/run ');
    later.ready.release();
    // A link of the agent's in the place of the folder is not followed.
    execFileSync('sh', ['-c', 'rm -rf node_modules && ln -s /state/home node_modules'], {
      cwd: run.checkout.path,
    });
    const blocked = await stage.run({ setup, conversation: run.conversation });
    expect(blocked.ready.mounts).toEqual([]);
    expect(blocked.ready.notes).toEqual([expect.stringContaining('stands in its place')]);
    stage.forge.commit('refs/heads/main', 'node_modules/pkg/index.js', 'x');
    const tracked = await stage.run({ setup, conversation: randomUUID() });
    expect(tracked.ready.said).toMatchObject({
      outcome: 'failed',
      text: expect.stringContaining('git tracks'),
    });
  });

  test('a layer that nobody wants goes once no run uses it', async () => {
    const stage = await LayersStage.open(bubblewrap);
    const run = await stage.run({ setup: SETUP });
    await stage.database.rows.updateTable('layers').set({ state: 'unwanted' }).execute();
    await stage.layers.sweep();
    expect(ready(stage)).toHaveLength(1);
    expect((await run.shell('cat node_modules/lib/code')).out).toBe('base\n');
    run.ready.release();
    await stage.layers.sweep();
    expect(ready(stage)).toEqual([]);
    expect(await stage.rows()).toEqual([]);
    expect(readFileSync(join(run.checkout.path, '.git/info/exclude'), 'utf8')).toContain('/node_modules');
  });
});
