/** What a contained process sees and may: mounts, names, network, limits, this machine. Part of the conformance suite. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { homedir, hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  ended,
  mount,
  type Started,
  said,
  shell,
  start,
  testFolder,
  uniqueNap,
  untilSleepers,
} from '../../test/support/contained.ts';
import { isShownByPodman, testEngines } from '../../test/support/engines.ts';
import { EngineFailed, type Limits } from './container.ts';

const LIMITS: Limits = { memoryBytes: 64 * 1024 * 1024, cpus: null, pids: null };
const NO_LIMITS: Limits = { memoryBytes: null, cpus: null, pids: null };

/** Names that a forge or an operator could come up with; each must reach the engine as it is. */
const NAMES = [
  'with space',
  'with,comma',
  'with:colon',
  'type=bind,src=/,dst=/x',
  `with "double" and 'single' quotes`,
  'with\nline feed',
  '--privileged',
  '-v',
  '$(touch escaped)',
  '`id`;id',
  '...',
  'ünï*?[a]\\',
];

/** Listens and counts who came. */
async function listen(where: { port: 0; host: string } | { path: string }) {
  let visitors = 0;
  const server: Server = createServer((socket) => {
    visitors++;
    socket.end('hello from the machine\n');
  });
  await new Promise<void>((resolve) => server.listen(where, resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return { port, visitors: () => visitors };
}

/** perl and not bash: it knows unix sockets, too. Says what it heard, or `no`. */
const KNOCK = `perl -MSocket -e '
  my ($where, $port) = @ARGV;
  $where =~ s/^@/\\0/;
  my $ok = defined $port
    ? socket(S, PF_INET, SOCK_STREAM, 0) && connect(S, pack_sockaddr_in($port, inet_aton($where)))
    : socket(S, PF_UNIX, SOCK_STREAM, 0) && connect(S, pack_sockaddr_un($where));
  print $ok ? scalar(<S>) : "no\\n"' "$@"`;

for (const engine of testEngines()) {
  const { isolates, unheld } = engine.engine;
  /** a place for the mount of a folder: inside where there is an inside */
  const target = (source: string, inside: string) => (isolates ? inside : source);

  describe.skipIf(!engine.need.ok)(engine.need.title(engine.name), () => {
    test('what is mounted to write is the same folder outside, and its files are the worker’s', async () => {
      const started = await start(engine);
      writeFileSync(join(started.outside, 'from-outside'), 'hello');
      const { out } = await ended(shell(started, 'cat from-outside; echo made > from-inside'));
      expect(out).toBe('hello');
      expect(readFileSync(join(started.outside, 'from-inside'), 'utf8')).toBe('made\n');
      expect(statSync(join(started.outside, 'from-inside')).uid).toBe(process.getuid!());
    });

    test.each(NAMES)('a folder may be called %j, and so may an argument', async (name) => {
      const started = await start(engine, { name });
      const child = shell(started, 'pwd; printf "%s" "$1"; : > made', { args: [name] });
      const { out, code } = await ended(child);
      expect({ out, code }).toEqual({ out: `${started.inside}\n${name}`, code: 0 });
      expect(statSync(join(started.outside, 'made')).isFile()).toBe(true);
    });

    test.each(['relative', '/work/../etc', '/work//x', '/work/a\0b', '/'])(
      'a mount at %j is refused with the remedy',
      async (at) => {
        const failed = start(engine, { mounts: [mount(testFolder(), at, 'read')] });
        await expect(failed).rejects.toThrow(EngineFailed);
        await expect(failed).rejects.toThrow(/Write it out|Choose a folder/);
      },
    );

    test('a link that the agent left on the way to a mount is refused', async () => {
      const [outer, inner, secret] = [testFolder(), testFolder(), testFolder()];
      symlinkSync(secret, join(outer, 'cache'));
      const failed = start(engine, {
        mounts: [
          mount(outer, target(outer, '/work/outer'), 'write'),
          mount(inner, `${target(outer, '/work/outer')}/cache/inner`, 'write'),
        ],
      });
      await expect(failed).rejects.toThrow(/is a link on the way/);
    });

    test('a limit that cannot be kept is named', () => {
      const held = ['memory', 'cpus', 'pids', 'user', 'network', 'mounts'].filter(
        (what) => !(unheld as readonly string[]).includes(what),
      );
      // This machine lets root make control groups, so every engine that isolates keeps all.
      expect(held).toHaveLength(isolates ? 6 : 0);
    });
  });

  if (!isolates || isShownByPodman(engine)) continue;

  describe.skipIf(!engine.need.ok)(engine.need.title(`${engine.name}, isolated`), () => {
    test('what is mounted to read cannot be written, removed or mounted anew', async () => {
      const source = testFolder();
      writeFileSync(join(source, 'file'), 'kept');
      const started = await start(engine, { mounts: [mount(source, '/run/claude-hooks/given', 'read')] });
      const script = `cd /run/claude-hooks/given && cat file
        for try in 'echo x > file' 'echo x > other' 'rm file' 'chmod 777 .' 'mount -o remount,rw .' 'mv file ..'; do
          sh -c "$try" 2>/dev/null && echo "did: $try"
        done; rm -rf /run/claude-hooks/given 2>/dev/null && echo did: rm -rf; :`;
      expect((await ended(shell(started, script))).out).toBe('kept');
      expect(readFileSync(join(source, 'file'), 'utf8')).toBe('kept');
    });

    test('a later mount may lie inside an earlier one: read in write, write in read, a file', async () => {
      const [outer, hooks, notes] = [testFolder(), testFolder(), testFolder()];
      mkdirSync(join(outer, '.git/hooks'), { recursive: true });
      writeFileSync(join(outer, 'CLAUDE.md'), 'of the agent');
      writeFileSync(join(notes, 'ours'), 'of the base');
      mkdirSync(join(hooks, 'cache'));
      const started = await start(engine, {
        mounts: [
          mount(outer, '/work/outer', 'write'),
          mount(hooks, '/work/outer/.git/hooks', 'read'),
          mount(notes, '/work/outer/.git/hooks/cache', 'write'),
          mount(join(notes, 'ours'), '/work/outer/CLAUDE.md', 'read'),
        ],
      });
      const script = `cd /work/outer; touch a .git/b .git/hooks/c .git/hooks/cache/d 2>/dev/null
        echo x >> CLAUDE.md; cat CLAUDE.md; find . -type f | sort`;
      expect((await ended(shell(started, script))).out.split('\n')).toEqual([
        'of the base./.git/b',
        './.git/hooks/cache/d',
        './.git/hooks/cache/ours',
        './CLAUDE.md',
        './a',
        '',
      ]);
    });

    test('nothing else of the root can be written; /tmp can, and programs run there', async () => {
      const started = await start(engine);
      const script = `for folder in / /usr /etc /bin /work /run /var; do
          touch $folder/made 2>/dev/null && { [ $folder = /run ] || echo "wrote $folder"; }
        done
        cp /usr/bin/true /tmp/program && /tmp/program && echo ran; touch /dev/shm/x && echo shm`;
      expect((await ended(shell(started, script))).out).toBe('ran\nshm\n');
    });

    test('a socket that is mounted can be spoken to', async () => {
      const path = join(testFolder(), 'model.sock');
      const listener = await listen({ path });
      const started = await start(engine, { mounts: [mount(path, '/run/claude-hooks/model.sock', 'write')] });
      const { out } = await ended(shell(started, KNOCK, { args: ['/run/claude-hooks/model.sock'] }));
      expect(out).toBe('hello from the machine\n');
      expect(listener.visitors()).toBe(1);
    });

    test('there is no network: not this machine’s loopback, address or abstract sockets, no route', async () => {
      const tcp = await listen({ port: 0, host: '0.0.0.0' });
      const name = `claude-hooks-${uniqueNap()}`;
      const abstract = await listen({ path: `\0${name}` });
      const started = await start(engine);
      const own = Object.values(networkInterfaces())
        .flatMap((all) => all ?? [])
        .filter(({ family }) => family === 'IPv4');
      for (const { address } of own) {
        const args = [address, String(tcp.port)];
        expect((await ended(shell(started, KNOCK, { args }))).out).toBe('no\n');
      }
      expect((await ended(shell(started, KNOCK, { args: [`@${name}`] }))).out).toBe('no\n');
      expect(
        (await ended(shell(started, 'tail -n +2 /proc/net/route; ls /sys/class/net || :'))).out.trim(),
      ).toMatch(/^(lo)?$/);
      expect(tcp.visitors() + abstract.visitors()).toBe(0);
    });

    test('with network host there is one: the listener of the test above can be reached', async () => {
      const tcp = await listen({ port: 0, host: '127.0.0.1' });
      const started = await start(engine, { network: 'host' });
      const args = ['127.0.0.1', String(tcp.port)];
      expect((await ended(shell(started, KNOCK, { args }))).out).toBe('hello from the machine\n');
      expect(tcp.visitors()).toBe(1);
    });

    test('nothing of this machine is there: homes, state, processes, name, engine sockets', async () => {
      const started = await start(engine);
      const elsewhere = testFolder();
      writeFileSync(join(elsewhere, 'secret'), 'x');
      const paths = [
        homedir(),
        '/root',
        '/home',
        elsewhere,
        started.outside,
        import.meta.dirname,
        process.cwd(),
        '/etc/shadow',
        '/etc/machine-id',
        '/etc/gitconfig',
        '/run/podman',
        '/var/run/docker.sock',
        '/var/lib',
        `/proc/${process.pid}/cwd/package.json`,
      ];
      const script = `for path; do [ -e "$path" ] && echo "there: $path"; done
        cat /proc/[0-9]*/comm | grep -c .; hostname; cat /proc/[0-9]*/comm | grep node; :`;
      const { out } = await ended(shell(started, script, { args: paths }));
      const [count, name, ...rest] = out.trim().split('\n');
      expect(rest).toEqual([]);
      expect(Number(count)).toBeLessThan(9);
      expect(name).not.toBe(hostname());
    });

    test('there is no privilege to be had: no capabilities, no set-uid, no mounts, no devices', async () => {
      const started = await start(engine);
      const script = `grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status
        mkdir -p /tmp/m; mount -t tmpfs none /tmp/m 2>/dev/null && echo mounted
        mknod /tmp/disk b 254 0 2>/dev/null && echo device
        chroot / true 2>/dev/null && echo chroot; :`;
      expect(
        (await ended(shell(started, script))).out.split('\n').map((l) => l.replaceAll('\t', ' ')),
      ).toEqual(['CapEff: 0000000000000000', 'CapBnd: 0000000000000000', 'NoNewPrivs: 1', '']);
    });

    test('the kernel’s settings are not to be written, also by root', async () => {
      // Each is written back as it is.
      const script =
        'for f in /proc/sys/kernel/core_pattern /proc/sys/fs/suid_dumpable; do (cat "$f" >/tmp/was && cat /tmp/was >"$f") 2>/dev/null && echo "wrote $f"; done; echo asked';
      expect((await ended(shell(await start(engine), script))).out).toBe('asked\n');
    });

    test('no kind of socket reaches past the network namespace', async () => {
      // vsock leads to the hypervisor and to this machine from any namespace.
      const script = `perl -e 'print socket(my $s, 40, 1, 0) ? "made" : "refused"'`;
      const { out } = await ended(shell(await start(engine), script));
      // Here docker is podman under another name, and podman's own list of system calls lets it pass.
      expect(out).toMatch(engine.name === 'docker' ? /^(refused|made)$/ : /^refused$/);
    });

    test('no namespace of users is to be made: in one, the kernel trusts an agent more', async () => {
      // CLONE_NEWUSER, bare: what `unshare` does on top may fail for reasons of its own.
      const number = process.arch === 'arm64' ? 97 : 272;
      const script = `perl -e 'print syscall(${number}, 0x10000000) == 0 ? "made" : "refused"'`;
      const { out } = await ended(shell(await start(engine), script));
      expect(out).toMatch(engine.name === 'docker' ? /^(refused|made)$/ : /^refused$/);
    });

    test('the key ring of the worker’s session is out of reach', async () => {
      // keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING): refused, or a ring of the container's own.
      const ask = `perl -e 'print syscall(${process.arch === 'arm64' ? 219 : 250}, 0, -3, 0)'`;
      const own = execFileSync('/bin/sh', ['-c', ask], { encoding: 'utf8' });
      const { out } = await ended(shell(await start(engine), ask));
      expect(out).toMatch(/^-?\d+$/);
      expect(out).not.toBe(own);
      // docker's and podman's runtime make a ring; bubblewrap's sandbox would inherit one if the worker has any.
      if (engine.oci === null) expect(out).toBe('-1');
    });

    test('the user inside is the one that was asked for; without one, the worker’s', async () => {
      const ids = async (started: Started) => (await ended(shell(started, 'id -u; id -g'))).out;
      expect(await ids(await start(engine))).toBe(`${process.getuid!()}\n${process.getgid!()}\n`);
      expect(await ids(await start(engine, { user: { uid: 1234, gid: 2345 } }))).toBe('1234\n2345\n');
    });

    test('the lock is not inherited: whoever has its descriptor could unlock', async () => {
      const started = await start(engine);
      const script = 'ls -l /proc/[0-9]*/fd | grep -c claude-hooks; ls -l /proc/[0-9]*/fd | grep -c pipe';
      const links = await ended(shell(started, script, { lockFile: join(testFolder(), 'lock') }));
      const [ours, pipes] = links.out.split('\n').map(Number);
      expect(ours).toBe(0);
      expect(pipes).toBeGreaterThan(0);
    });

    test('more memory than allowed ends the one who took it', async () => {
      const take = 'head -c 300000000 /dev/zero | tail | wc -c';
      const limited = await start(engine, { limits: LIMITS });
      expect((await ended(shell(limited, `set -o pipefail; ${take}`))).out).not.toBe('300000000\n');
      const free = await start(engine, { limits: NO_LIMITS });
      expect((await ended(shell(free, take))).out).toBe('300000000\n');
    });

    test('more processes than allowed are not started', async () => {
      const many = 'for i in $(seq 60); do sleep 1000 & done; echo all; kill $(jobs -p)';
      const limited = await start(engine, { limits: { ...NO_LIMITS, pids: 32 } });
      const child = shell(limited, many);
      child.stderr?.resume();
      // bash goes on trying for a while; the refusal is what counts.
      const refused = said({ stdout: child.stderr! } as typeof child, 'fork');
      expect(await refused).toMatch(/fork/);
      await limited.container.stop();
      const free = await start(engine, { limits: { ...NO_LIMITS, pids: 300 } });
      expect((await ended(shell(free, many))).out).toBe('all\n');
    });

    test('the share of the processors is what the kernel goes by for this very process', async () => {
      const started = await start(engine, { limits: { ...NO_LIMITS, cpus: 0.2 } });
      const nap = uniqueNap();
      shell(started, `exec sleep ${nap}`);
      const [pid] = await untilSleepers(nap, 1);
      // Seen by what is set: how long a loop takes says more about a busy machine than about the limit.
      expect(processorShare(pid!)).toBeCloseTo(0.2);
    });
  });
}

/** Processors, by the control group that the process is in. */
function processorShare(pid: number): number {
  for (const line of readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n')) {
    const [, controllers = '', path = ''] = line.split(':');
    const read = (folder: string, file: string) =>
      readFileSync(join('/sys/fs/cgroup', folder, path, file), 'utf8');
    if (controllers.split(',').includes('cpu')) {
      return Number(read('cpu', 'cpu.cfs_quota_us')) / Number(read('cpu', 'cpu.cfs_period_us'));
    }
    if (controllers === '' && !existsSync('/sys/fs/cgroup/cpu')) {
      const [quota, period] = read('', 'cpu.max').split(' ').map(Number);
      return quota! / period!;
    }
  }
  throw new Error(`process ${pid} is in no group that has processors`);
}
