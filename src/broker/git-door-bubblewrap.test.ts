/** The relay from inside a sandbox: no network, the mirror to read, nothing of the worker's to write. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agentSpec, contents, openDoor, type Ran, run } from '../../test/support/git-agent.ts';
import {
  BareRepository,
  type GitHttpServer,
  git,
  makeFolder,
  serveGit,
} from '../../test/support/git-remotes.ts';
import { needs } from '../../test/support/requirements.ts';
import { type Checkout, openWorkdir } from '../workdir.ts';

const TOKEN = 'tok3n-of-the-agent-4711';
const RELAY = { root: '/run/claude-hooks/relay', origin: '/run/claude-hooks/origin.git' };
const sandbox = needs('git', 'bubblewrap', 'ssh-keygen');

let folder: ReturnType<typeof makeFolder>;
let forge: BareRepository;
let server: GitHttpServer;

beforeEach(async () => {
  folder = makeFolder();
  forge = new BareRepository(join(folder.path, 'forge', 'app.git'));
  server = await serveGit(join(folder.path, 'forge'), TOKEN);
});
afterEach(async () => {
  await server.close();
  folder.remove();
});

/** The mounts of `container/place.ts`. */
async function inside(checkout: Checkout, script: string, over: string[] = []): Promise<Ran> {
  const { relay } = checkout;
  const mounts = ['push.git', 'outbox'].flatMap((n) => ['--bind', join(relay.root, n), `${RELAY.root}/${n}`]);
  const shown = ['answers', 'programs'].flatMap((n) => [
    '--ro-bind',
    join(relay.root, n),
    `${RELAY.root}/${n}`,
  ]);
  const links = ['bin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]);
  const home = join(folder.path, 'home');
  mkdirSync(home, { recursive: true });
  return await run(
    [
      ...['bwrap', '--unshare-all', '--die-with-parent', '--clearenv', '--ro-bind', '/usr', '/usr', ...links],
      ...['--ro-bind', '/etc/passwd', '/etc/passwd', '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp'],
      ...['--bind', home, '/state/home', '--bind', checkout.path, '/work/app', '--chdir', '/work/app'],
      ...['--ro-bind', relay.origin, RELAY.origin, ...mounts, ...shown],
      ...over.flatMap((name) => ['--ro-bind', '/bin/busybox', `/usr/bin/${name}`]),
      ...['--setenv', 'PATH', '/usr/bin:/bin', '--setenv', 'HOME', '/state/home'],
      ...['/bin/sh', '-c', script],
    ],
    { cwd: '/' },
  );
}

async function open(change: { sign?: boolean; key?: string } = {}) {
  const remote = { url: `${server.url}/app.git`, token: TOKEN };
  const workdir = openWorkdir({ folder: join(folder.path, 'work') });
  const checkout = await workdir.prepare(agentSpec('', { remote, relay: RELAY, sign: change.sign ?? false }));
  const door = await openDoor(
    { workdir, checkout, remote: () => remote },
    { signingKeyFile: change.key ?? null },
  );
  return { checkout, door, workdir };
}

describe.skipIf(!sandbox.ok)(sandbox.title('the relay inside bubblewrap'), () => {
  test('commits are signed, fetched, pushed and refused there, without a network', async () => {
    const key = join(folder.path, 'key');
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const { checkout, door } = await open({ sign: true, key });
    const theirs = forge.commit('refs/heads/main', 'later', 'x');
    const done = await inside(
      checkout,
      `set -e
      git fetch -q
      git rev-parse origin/main
      git rebase -q origin/main
      echo x > one; git add one; git commit -q -m one
      git push
      mkdir -p .github/workflows; echo on > .github/workflows/x.yml; git add .; git commit -q -m two
      if git push; then exit 9; fi
      if git push origin HEAD~1:main; then exit 9; fi`,
    );
    expect(done).toMatchObject({ code: 0 });
    expect(done.stdout).toBe(`${theirs}\n`);
    expect(done.stderr).toContain('remote: claude-hooks: claude/5 on the forge is at');
    expect(done.stderr).toContain('is a workflow file');
    expect(done.stderr).toContain('changed by pull requests only');
    await door.close();
    const pushed = forge.head('refs/heads/claude/5')!;
    const allowed = join(folder.path, 'allowed');
    writeFileSync(allowed, `dev@example.test ${readFileSync(`${key}.pub`, 'utf8')}`);
    expect(() =>
      git(forge.path, '-c', `gpg.ssh.allowedSignersFile=${allowed}`, 'verify-commit', pushed),
    ).not.toThrow();
    expect(git(forge.path, 'rev-parse', `${pushed}^`)).toBe(theirs);
    expect(door.audited.map((a) => [a.action, a.decision])).toEqual([
      ['fetch', 'allowed'],
      ['sign', 'allowed'],
      ['push refs/heads/claude/5', 'allowed'],
      ['sign', 'allowed'],
      ['push refs/heads/claude/5', 'denied'],
      ['push refs/heads/main', 'denied'],
    ]);
  });

  test('the mirror, the answers and the programs cannot be written, and hold no token', async () => {
    const { checkout, door } = await open();
    const before = contents(checkout.relay.origin);
    const tried = await inside(
      checkout,
      `for file in ${RELAY.origin}/config ${RELAY.origin}/refs/heads/x ${RELAY.root}/answers/x ${RELAY.root}/programs/ask; do
        if echo evil 2>/dev/null >> $file; then echo "wrote $file"; fi
      done
      git --git-dir=${RELAY.origin} update-ref refs/heads/evil HEAD 2>/dev/null && echo "moved a ref"
      ln ${RELAY.origin}/config .git/linked 2>/dev/null && echo "linked"
      rm -rf ${RELAY.root}/outbox 2>/dev/null; [ -d ${RELAY.root}/outbox ] || echo "removed the outbox"
      grep -rl ${TOKEN} ${RELAY.root} ${RELAY.origin} /work/app /state /proc/self/environ
      git -c protocol.allow=always ls-remote ${server.url}/app.git 2>/dev/null && echo "reached the network"
      true`,
    );
    expect(tried).toMatchObject({ code: 0, stdout: '' });
    expect(contents(checkout.relay.origin)).toEqual(before);
    await door.close();
  });
});

const small = needs('git', 'bubblewrap', 'static-shell');
test.skipIf(!small.ok)(
  small.title('the programs of the relay run in the shell of a small image'),
  async () => {
    const { checkout, door } = await open();
    const script = `set -e
    echo x > one; git add one; git commit -q -m one; git fetch -q; git push
    if git push origin HEAD:main; then exit 9; fi
    ls ${RELAY.root}/outbox`;
    const done = await inside(checkout, script, ['sh', 'sleep', 'cat', 'rm']);
    expect(done).toMatchObject({ code: 0, stdout: '' });
    expect(done.stderr).toContain('changed by pull requests only');
    expect(forge.head('refs/heads/claude/5')).toBe(git(checkout.path, 'rev-parse', 'HEAD'));
    await door.close();
  },
);
