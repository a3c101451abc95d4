/** What an agent may try at the git door. In each case nothing is read that should not be, and the next push works. */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  agentGit,
  agentSpec,
  CONVERSATION,
  contents,
  openDoor,
  POLICY,
} from '../../test/support/git-agent.ts';
import { BareRepository, git, makeFolder } from '../../test/support/git-remotes.ts';
import { type Checkout, openWorkdir, type Workdir } from '../workdir.ts';

let folder: ReturnType<typeof makeFolder>;
let forge: BareRepository;
let workdir: Workdir;
let checkout: Checkout;
let opened: Awaited<ReturnType<typeof openDoor>> | null;

beforeEach(async () => {
  folder = makeFolder();
  forge = new BareRepository(join(folder.path, 'forge.git'));
  workdir = openWorkdir({ folder: join(folder.path, 'work') });
  checkout = await workdir.prepare(agentSpec(forge.path));
  opened = null;
});
afterEach(async () => {
  await opened?.close();
  folder.remove();
});

const remote = () => ({ url: forge.path, token: null });
const outbox = (name: string) => join(checkout.relay.root, 'outbox', name);
const answer = (id: string) => join(checkout.relay.root, 'answers', `${id}.answer`);

async function door(change: Parameters<typeof openDoor>[1] = {}) {
  opened = await openDoor({ workdir, checkout, remote }, change);
  return opened;
}

/** What the operator may allow, and the next wall must stand without. */
const allowing = (file: string) => ({ ...POLICY, protection: { ...POLICY.protection, allow: [file] } });

async function commitAndPush(file: string) {
  writeFileSync(join(checkout.path, file), 'x');
  await agentGit(checkout.path, 'add', '-A');
  expect(await agentGit(checkout.path, 'commit', '-qm', file)).toMatchObject({ code: 0 });
  return await agentGit(checkout.path, 'push');
}

function request(id: string, refs: string, pack?: Buffer): void {
  writeFileSync(outbox(`${id}.refs`), refs);
  if (pack !== undefined) writeFileSync(outbox(`${id}.pack`), pack);
  writeFileSync(outbox(`${id}.ready`), '');
}

const zero = '0'.repeat(40);

test('files that are no plain files are not read, not waited for, and told of', async () => {
  const secret = join(folder.path, 'secret');
  writeFileSync(secret, `${zero} ${'a'.repeat(40)} refs/heads/TOPSECRET\n`);
  symlinkSync(secret, outbox('push-1-0.refs'));
  execFileSync('mkfifo', [outbox('push-2-0.refs')]);
  mkdirSync(outbox('push-3-0.refs'));
  symlinkSync('/dev/zero', outbox('push-4-0.refs'));
  linkSync(secret, outbox('push-5-0.refs'));
  for (const n of [1, 2, 3, 4, 5]) writeFileSync(outbox(`push-${n}-0.ready`), '');
  symlinkSync(secret, outbox('push-6-0.ready'));
  writeFileSync(outbox('../outbox/odd name\u001b[31m'), '');
  const { until, audited } = await door();
  await until(({ action, reason }) => action === 'push' && (reason ?? '').includes('several names'));
  expect(audited.filter((a) => a.action === 'push').map((a) => a.decision)).toEqual(Array(5).fill('denied'));
  expect(audited.filter((a) => a.action.startsWith('outbox')).length).toBeGreaterThanOrEqual(2);
  expect(JSON.stringify(audited)).not.toMatch(/TOPSECRET|\u001b/);
  for (const name of readdirSync(join(checkout.relay.root, 'answers'))) {
    expect(readFileSync(join(checkout.relay.root, 'answers', name), 'utf8')).toMatch(/^no\n/);
  }
  expect(readFileSync(secret, 'utf8')).toContain('TOPSECRET');
  expect((await commitAndPush('after')).code).toBe(0);
});

test('requests that git would not write are refused', async () => {
  const { until, audited } = await door();
  const sha = git(checkout.path, 'rev-parse', 'HEAD');
  const requests = [
    '',
    'garbage\n',
    `${zero} ${sha} refs/heads/claude/5-a..b\n`,
    `${zero} ${sha} refs/heads/claude/5-x.lock\n`,
    `${zero} ${sha} refs/heads/claude/5-\u001b]0;x\n`,
    `${zero} ${sha} refs/heads/../../config\n`,
    `${zero} ${sha} HEAD\n`,
    `${zero} --upload-pack=x refs/heads/claude/5\n`,
    `${zero} ${'b'.repeat(40)} refs/heads/claude/5\n`,
    `${zero} ${git(checkout.path, 'rev-parse', 'HEAD^{tree}')} refs/heads/claude/5\n`,
    'x'.repeat(70_000),
  ];
  const before = git(forge.path, 'for-each-ref');
  for (const [i, refs] of requests.entries()) request(`push-${i + 1}-0`, refs);
  await until(() => audited.length === requests.length);
  expect(audited.every((a) => a.decision !== 'allowed')).toBe(true);
  expect(JSON.stringify(audited)).not.toContain('\u001b');
  expect(git(forge.path, 'for-each-ref')).toBe(before);
  expect((await commitAndPush('after')).code).toBe(0);
});

test('packs of garbage, of bad objects and with holes are refused, and the mirror is not blamed', async () => {
  const { until, audited } = await door();
  const mirrors = join(folder.path, 'work/mirrors');
  const before = contents(mirrors);
  const tree = git(checkout.path, 'rev-parse', 'HEAD^{tree}');
  const make = (text: string, type = 'commit') =>
    execFileSync('git', ['hash-object', '-t', type, '-w', '--literally', '--stdin'], {
      cwd: checkout.path,
      input: text,
      encoding: 'utf8',
    }).trim();
  const pack = (...ids: string[]) =>
    execFileSync('git', ['pack-objects', '-q', '--stdout'], {
      cwd: checkout.path,
      input: `${ids.join('\n')}\n`,
    });
  const person = 'Dev Agent <dev@example.test> 1700000000 +0000';
  const bad = make(`tree ${tree}\nauthor nobody\ncommitter nobody\n\nx\n`);
  const holed = make(`tree ${'c'.repeat(40)}\nauthor ${person}\ncommitter ${person}\n\nx\n`);
  const modules = make('[submodule "a"]\n\tpath = a\n\turl = --upload-pack=touch x\n', 'blob');
  const moduleTree = execFileSync('git', ['mktree', '--missing'], {
    cwd: checkout.path,
    input: `100644 blob ${modules}\t.gitmodules\n`,
    encoding: 'utf8',
  }).trim();
  const evil = make(`tree ${moduleTree}\nauthor ${person}\ncommitter ${person}\n\nx\n`);
  request('push-1-0', `${zero} ${bad} refs/heads/claude/5\n`, pack(bad));
  request('push-2-0', `${zero} ${holed} refs/heads/claude/5\n`, pack(holed));
  request('push-3-0', `${zero} ${evil} refs/heads/claude/5\n`, pack(evil, moduleTree, modules));
  request('push-4-0', `${zero} ${bad} refs/heads/claude/5\n`, Buffer.from('PACK garbage'));
  await until(() => audited.length === 4);
  expect(audited.map((a) => [a.decision, a.reason?.includes('Git does not accept the objects')])).toEqual(
    Array(4).fill(['denied', true]),
  );
  expect(contents(mirrors)).toEqual(before);
  expect(forge.head('refs/heads/claude/5')).toBe(null);
  expect((await commitAndPush('after')).code).toBe(0);
});

test('a submodule that names a program is refused, and nothing runs it', async () => {
  const marker = join(folder.path, 'marker');
  await door({ policy: allowing('.gitmodules') });
  writeFileSync(
    join(checkout.path, '.gitmodules'),
    `[submodule "a"]\n\tpath = a\n\turl = "ext::sh -c touch% ${marker}"\n`,
  );
  const pushed = await commitAndPush('x');
  expect(pushed.code).toBe(1);
  expect(pushed.stderr).toContain('would run a program');
  expect(existsSync(marker)).toBe(false);
});

test('what is planted in push.git and in the checkout runs nothing of the worker', async () => {
  const marker = join(folder.path, 'marker');
  const program = join(folder.path, 'program');
  // Runs as a part of the agent's own push as well, hence the parent's name: only the worker's git counts.
  writeFileSync(program, `#!/bin/sh\ncase "$HOME" in */git-home) echo "$0 $*" >> '${marker}' ;; esac\n`);
  chmodSync(program, 0o755);
  const push = join(checkout.relay.root, 'push.git');
  for (const repository of [push, join(checkout.path, '.git')]) {
    for (const [key, value] of [
      ['core.fsmonitor', program],
      ['core.alternateRefsCommand', program],
      ['uploadpack.packObjectsHook', program],
      ['core.sshCommand', program],
      ['filter.x.clean', program],
      ['filter.x.smudge', program],
    ]) {
      git(repository, 'config', key!, value!);
    }
    mkdirSync(join(repository, 'hooks'), { recursive: true });
    for (const hook of ['post-update', 'update', 'pre-push', 'reference-transaction', 'post-receive']) {
      writeFileSync(join(repository, 'hooks', hook), readFileSync(program));
      chmodSync(join(repository, 'hooks', hook), 0o755);
    }
  }
  writeFileSync(join(push, 'objects/info/alternates'), `${join(checkout.relay.origin, 'objects')}\n/etc\n`);
  symlinkSync('/etc/passwd', join(push, 'refs/heads/passwd'));
  writeFileSync(join(checkout.path, '.gitattributes'), '* filter=x\n');
  await door({ policy: allowing('.gitattributes') });
  expect((await commitAndPush('after')).stderr).toContain('on the forge is at');
  await opened?.close();
  await workdir.inspect(checkout);
  const again = await workdir.prepare(agentSpec(forge.path));
  expect(existsSync(marker)).toBe(false);
  expect(readdirSync(join(push, 'refs/heads'))).toEqual([]);
  expect(again.created).toBe(false);
});

test('refs and objects that are links or pipes make the checkout anew', async () => {
  const victim = join(folder.path, 'victim');
  mkdirSync(victim);
  const remotes = join(checkout.path, '.git/refs/remotes/origin');
  execFileSync('rm', ['-rf', remotes]);
  mkdirSync(join(remotes, '..'), { recursive: true });
  symlinkSync(victim, remotes);
  forge.commit('refs/heads/main', 'later', 'x');
  const again = await workdir.prepare(agentSpec(forge.path));
  expect(again.created).toBe(true);
  expect(readdirSync(victim)).toEqual([]);
  execFileSync('mkfifo', [join(again.path, '.git/refs/heads/pipe')]);
  expect((await workdir.prepare(agentSpec(forge.path))).created).toBe(true);
});

test('an answer that nobody reads and a flooded outbox hold nothing up', async () => {
  const { until } = await door();
  request('fetch-1-0', '');
  await until(({ action }) => action === 'fetch');
  for (let n = 0; n < 300; n += 1) writeFileSync(outbox(`junk-${n}`), '');
  expect((await commitAndPush('after')).code).toBe(0);
  expect(existsSync(answer('fetch-1-0'))).toBe(true);
  expect(opened!.audited.filter((a) => a.action.startsWith('outbox')).length).toBeLessThanOrEqual(20);
});

test('a worker killed between acceptance and forward: the push after the next run sends it', async () => {
  const hook = join(forge.path, 'hooks/pre-receive');
  mkdirSync(join(forge.path, 'hooks'), { recursive: true });
  const reached = join(folder.path, 'reached');
  execFileSync('mkfifo', [reached]);
  // Says that the push has come, then hangs until the killed worker's connection is gone.
  writeFileSync(hook, `#!/bin/sh\necho here > '${reached}'\nexec sleep 600\n`);
  chmodSync(hook, 0o755);
  writeFileSync(join(checkout.path, 'one'), 'x');
  git(checkout.path, 'add', '-A');
  await agentGit(checkout.path, 'commit', '-qm', 'one');
  const sha = git(checkout.path, 'rev-parse', 'HEAD');
  const script = `
    import { openWorkdir } from ${JSON.stringify(join(import.meta.dirname, '../workdir.ts'))};
    import { openGitDoor } from ${JSON.stringify(join(import.meta.dirname, 'git-door.ts'))};
    await openGitDoor({
      workdir: openWorkdir({ folder: ${JSON.stringify(join(folder.path, 'work'))} }),
      checkout: ${JSON.stringify(checkout)}, remote: () => (${JSON.stringify(remote())}),
      policy: { ...${JSON.stringify(POLICY)}, marked: () => null }, signingKeyFile: null,
      audit: async () => {}, log: { warn() {} }, assertMine: async () => {},
    });`;
  const node = createRequire(import.meta.url).resolve('node/bin/node');
  const worker = spawn(node, ['--input-type=module', '-e', script], { stdio: 'ignore' });
  const client = spawn('git', ['push', '-q'], {
    cwd: checkout.path,
    env: { PATH: process.env.PATH, HOME: '/nonexistent' },
    stdio: 'ignore',
    detached: true,
  });
  const { promise: came, resolve } = Promise.withResolvers<void>();
  const listener = spawn('cat', [reached], { stdio: ['ignore', 'pipe', 'ignore'] });
  listener.stdout.once('data', () => resolve());
  await came;
  const gone = new Promise((done) => worker.once('exit', done));
  worker.kill('SIGKILL');
  await gone;
  process.kill(-client.pid!, 'SIGKILL');
  expect(forge.head('refs/heads/claude/5')).toBe(null);
  writeFileSync(hook, '#!/bin/sh\nexit 0\n');
  expect(git(checkout.relay.origin, 'rev-parse', `refs/claude-hooks/kept/${CONVERSATION}`)).toBe(sha);

  const next = openWorkdir({ folder: join(folder.path, 'work') });
  const again = await next.prepare(agentSpec(forge.path));
  expect(again.headSha).toBe(sha);
  expect(await next.push(again, { remote: remote(), branch: 'claude/5' })).toEqual({ kind: 'pushed', sha });
  expect(git(checkout.relay.origin, 'for-each-ref', 'refs/claude-hooks/kept')).toBe('');
});
