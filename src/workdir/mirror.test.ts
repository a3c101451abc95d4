import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BareRepository, git, makeFolder } from '../../test/support/git-remotes.ts';
import { takeLock } from '../state-lock.ts';
import { type CheckoutSpec, openWorkdir, type Workdir } from '../workdir.ts';

let folder: ReturnType<typeof makeFolder>;
let forge: BareRepository;
let workdir: Workdir;
let logged: string[];

beforeEach(() => {
  folder = makeFolder();
  forge = new BareRepository(join(folder.path, 'forge.git'));
  logged = [];
  workdir = openWorkdir({ folder: join(folder.path, 'work'), log: (message) => logged.push(message) });
});
afterEach(() => folder.remove());

function spec(conversation = '1'): CheckoutSpec {
  return {
    conversation: `${conversation.repeat(8)}-2222-3333-4444-555555555555`,
    repository: { id: '7', fullName: 'team/app' },
    remote: { url: forge.path, token: null },
    defaultBranch: 'main',
    at: { kind: 'branch', branch: 'claude/5', base: 'main' },
    identity: { name: 'Dev Agent', email: 'dev@example.test' },
    relay: null,
    configurationFromBase: false,
    sign: false,
  };
}

const mirrors = () => readdirSync(join(folder.path, 'work/mirrors'));
const mirror = () => join(folder.path, 'work/mirrors', mirrors().find((name) => name.endsWith('.git'))!);

/** Files of all objects, made so that changing one does not change what is hard-linked to it. */
function objectFiles(gitDir: string, suffix: string): string[] {
  const objects = join(gitDir, 'objects');
  const names = readdirSync(objects, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith(suffix),
  );
  return names.map((name) => {
    const path = join(objects, name);
    const content = readFileSync(path);
    rmSync(path);
    writeFileSync(path, content);
    return path;
  });
}

/** Packs, so that damage to packs and to loose objects can be told apart. */
function pack(gitDir: string): void {
  git(gitDir, 'repack', '-adq');
}

describe('a broken mirror is cloned anew, and the work goes on', () => {
  const damages: [string, (path: string) => void][] = [
    ['HEAD deleted', (path) => rmSync(join(path, 'HEAD'))],
    ['the objects folder deleted', (path) => rmSync(join(path, 'objects'), { recursive: true })],
    ['a garbage config', (path) => writeFileSync(join(path, 'config'), '[core\nnonsense')],
    [
      'garbage in the middle of a pack',
      (path) => {
        pack(path);
        const [file] = objectFiles(path, '.pack');
        const blob = git(path, 'rev-parse', 'main:README.md');
        const listing = git(path, 'verify-pack', '-v', file!.replace(/pack$/, 'idx')).split('\n');
        const offset = Number(listing.find((line) => line.startsWith(blob))!.split(/\s+/)[4]);
        const content = readFileSync(file!);
        content.fill(0x55, offset + 3, offset + 8);
        writeFileSync(file!, content);
      },
    ],
    [
      'garbage refs',
      (path) => {
        rmSync(join(path, 'packed-refs'), { force: true });
        mkdirSync(join(path, 'refs/heads'), { recursive: true });
        writeFileSync(join(path, 'refs/heads/main'), 'garbage\n');
      },
    ],
    [
      'loose objects of no bytes',
      (path) => {
        for (const pack of objectFiles(path, '.pack')) {
          const aside = join(folder.path, 'aside.pack');
          renameSync(pack, aside);
          rmSync(pack.replace(/pack$/, 'idx'), { force: true });
          execFileSync('git', ['unpack-objects', '-q'], { cwd: path, input: readFileSync(aside) });
        }
        for (const name of readdirSync(join(path, 'objects'), { recursive: true, encoding: 'utf8' })) {
          if (!/^[0-9a-f]{2}\/[0-9a-f]{38}$/.test(name)) continue;
          rmSync(join(path, 'objects', name));
          writeFileSync(join(path, 'objects', name), '');
        }
      },
    ],
  ];

  test.each(damages)('%s', async (_, damage) => {
    const first = await workdir.prepare(spec('1'));
    writeFileSync(join(first.path, 'README.md'), 'uncommitted\n');
    damage(mirror());
    const head = forge.commit('refs/heads/main', 'later', 'x');

    const other = await workdir.prepare(spec('2'));
    expect(other).toMatchObject({ headSha: head, created: true });
    expect(git(other.path, 'status', '--porcelain')).toBe('');
    expect(logged).toContain('a mirror is broken and is cloned anew');
    expect(mirrors().filter((name) => name.includes('.broken-'))).toHaveLength(1);

    const continued = await workdir.prepare(spec('1'));
    expect(continued).toMatchObject({ created: false, baseSha: head });
    expect(readFileSync(join(first.path, 'README.md'), 'utf8')).toBe('uncommitted\n');
  });

  test.each(damages)('%s, with nothing new on the forge', async (_, damage) => {
    await workdir.prepare(spec('1'));
    damage(mirror());
    const other = await workdir.prepare(spec('2'));
    expect(other).toMatchObject({ headSha: forge.head('refs/heads/main'), created: true });
    expect(git(other.path, 'status', '--porcelain')).toBe('');
  });

  test('a truncated pack is got over by git itself or by a new mirror', async () => {
    await workdir.prepare(spec('1'));
    pack(mirror());
    for (const file of objectFiles(mirror(), '.pack')) truncateSync(file, 40);
    const head = forge.commit('refs/heads/main', 'later', 'x');
    const other = await workdir.prepare(spec('2'));
    expect(other).toMatchObject({ headSha: head, created: true });
    expect(git(other.path, 'status', '--porcelain')).toBe('');
    expect((await workdir.prepare(spec('1'))).baseSha).toBe(head);
  });

  test('when it breaks again only the newest broken one is kept', async () => {
    await workdir.prepare(spec());
    for (const n of [1, 2]) {
      rmSync(join(mirror(), 'HEAD'));
      await workdir.prepare(spec());
      const broken = mirrors().filter((name) => name.includes('.broken-'));
      expect(broken).toEqual([expect.stringMatching(new RegExp(`\\.broken-${n}$`))]);
    }
  });

  test('during a push', async () => {
    const checkout = await workdir.prepare(spec());
    writeFileSync(join(checkout.path, 'new'), 'x');
    git(checkout.path, 'add', 'new');
    git(checkout.path, 'commit', '-qm', 'new');
    rmSync(join(mirror(), 'HEAD'));
    const outcome = await workdir.push(checkout, { remote: spec().remote, branch: 'claude/5' });
    expect(outcome.kind).toBe('pushed');
    expect(logged).toEqual(['a mirror is broken and is cloned anew']);
  });
});

test('locks that a killed git left in the mirror do not cost a clone', async () => {
  await workdir.prepare(spec());
  forge.commit('refs/heads/main', 'later', 'x');
  mkdirSync(join(mirror(), 'refs/heads'), { recursive: true });
  writeFileSync(join(mirror(), 'refs/heads/main.lock'), '');
  const { baseSha } = await workdir.prepare(spec());
  expect(baseSha).toBe(forge.head('refs/heads/main'));
  expect(logged).toEqual(['removed stale locks from a mirror']);
});

test('an agent that pushes to the mirror is told that this is not the forge', async () => {
  const { path } = await workdir.prepare(spec());
  expect(() => git(path, 'push', mirror(), 'HEAD:refs/heads/x')).toThrow(/read-only mirror/);
});

describe('a broken checkout is moved aside and made anew', () => {
  const damages: [string, (path: string) => void][] = [
    ['HEAD deleted', (path) => rmSync(join(path, '.git/HEAD'))],
    ['garbage in HEAD', (path) => writeFileSync(join(path, '.git/HEAD'), 'ref: refs/heads/../../x')],
    ['a garbage index', (path) => writeFileSync(join(path, '.git/index'), 'garbage')],
    ['a garbage branch', (path) => writeFileSync(join(path, '.git/refs/heads/claude/5'), 'garbage')],
    [
      'no objects',
      (path) => {
        rmSync(join(path, '.git/objects'), { recursive: true });
        mkdirSync(join(path, '.git/objects'));
      },
    ],
    [
      'a link in place of .git',
      (path) => {
        renameSync(join(path, '.git'), join(folder.path, 'elsewhere'));
        symlinkSync(join(folder.path, 'elsewhere'), join(path, '.git'));
      },
    ],
    [
      'borrowed objects',
      (path) => {
        mkdirSync(join(path, '.git/objects/info'), { recursive: true });
        writeFileSync(join(path, '.git/objects/info/alternates'), join(forge.path, 'objects'));
      },
    ],
  ];

  test.each(damages)('%s', async (_, damage) => {
    const first = await workdir.prepare(spec());
    writeFileSync(join(first.path, 'work'), 'uncommitted');
    damage(first.path);
    await expect(workdir.inspect(first)).rejects.toMatchObject({ name: 'GitFailed', transient: false });
    const again = await workdir.prepare(spec());
    expect(again).toMatchObject({ created: true, path: first.path, branch: 'claude/5' });
    const aside = join(first.path, '../.broken-1');
    expect(again.notes).toEqual([expect.stringContaining(join(aside))]);
    expect(readFileSync(join(aside, 'work'), 'utf8')).toBe('uncommitted');
    expect((await workdir.inspect(again)).dirtyFiles).toEqual([]);
  });

  test('and the newest two are kept', async () => {
    const { path } = await workdir.prepare(spec());
    for (let n = 1; n <= 3; n += 1) {
      rmSync(join(path, '.git/HEAD'));
      await workdir.prepare(spec());
    }
    expect(readdirSync(join(path, '..')).sort()).toEqual(['.broken-2', '.broken-3', 'app']);
  });
});

test.skipIf(process.getuid?.() === 0)('a folder that may not be written is no damage', async () => {
  await workdir.prepare(spec());
  forge.commit('refs/heads/main', 'later', 'x');
  const refs = join(mirror(), 'refs');
  mkdirSync(join(refs, 'heads'), { recursive: true });
  chmodSync(join(refs, 'heads'), 0o500);
  try {
    const attempt = workdir.prepare(spec());
    await expect(attempt).rejects.toMatchObject({
      transient: false,
      message: expect.stringMatching(/Permission denied.*this machine/s),
    });
  } finally {
    chmodSync(join(refs, 'heads'), 0o700);
  }
  expect(mirrors()).toHaveLength(1);
});

test('a mirror that another process works on is waited for; the others are not', async () => {
  await workdir.prepare(spec());
  const lock = takeLock(join(folder.path, 'work/mirror-locks', mirrors()[0]!))!;
  const order: string[] = [];
  const waiting = workdir.prepare(spec()).then(() => order.push('prepared'));
  // Longer than the other would take, which began before.
  for (const n of ['2', '3', '4']) {
    await workdir.prepare({ ...spec(n), repository: { id: '8', fullName: 'team/other' } });
  }
  order.push('released');
  lock.release();
  await waiting;
  expect(order).toEqual(['released', 'prepared']);
});
