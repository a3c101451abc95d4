/** Doors of a container: what programs inside reach by loopback is the service's socket, in every engine that isolates. */
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { testFolder } from '../../test/support/contained.ts';
import { isShownByPodman, type TestEngine, testEngines } from '../../test/support/engines.ts';
import { needs, titleOf } from '../../test/support/requirements.ts';
import { cliFor } from './cli-build.ts';
import { environmentWithDoors, hasDoors, type InnerDoors, spawnWithDoors, writeDoorScript } from './doors.ts';

const INNER: InnerDoors = {
  script: '/run/claude-hooks/doors.js',
  doors: [
    { name: 'packages', port: 8901, socket: '/run/claude-hooks/packages.sock' },
    { name: 'names', port: 8902, socket: '/run/claude-hooks/names.sock' },
  ],
  environment: { npm_config_registry: 'http://127.0.0.1:8901/npm/' },
};

test('only a container with a network namespace of its own has doors', () => {
  expect(hasDoors({ isolates: true }, 'none')).toBe(true);
  expect(hasDoors({ isolates: true }, 'host')).toBe(false);
  expect(hasDoors({ isolates: false }, 'none')).toBe(false);
});

test('the doors are added to the environment, also beside the forwarder of the model', () => {
  const env = { BUN_OPTIONS: '--preload=/run/claude-hooks/model-forwarder.js', HOME: '/state/home' };
  expect(environmentWithDoors(env, null)).toEqual(env);
  expect(environmentWithDoors(env, INNER)).toEqual({
    HOME: '/state/home',
    npm_config_registry: 'http://127.0.0.1:8901/npm/',
    BUN_OPTIONS: '--preload=/run/claude-hooks/model-forwarder.js --preload=/run/claude-hooks/doors.js',
    CLAUDE_HOOKS_DOORS:
      'packages:8901:/run/claude-hooks/packages.sock\nnames:8902:/run/claude-hooks/names.sock',
  });
});

/** Answers a first line with twice that line and then with many bytes, and ends when the other side has ended. */
async function listenAt(path: string): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (line) => {
      socket.write(`${line}${line}`);
      socket.end(Buffer.alloc(MANY, 'x'));
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  chmodSync(path, 0o666);
  onTestFinished(() => void server.close());
  return server;
}

const MANY = 20_000_000;

const COMMANDS = `
for port in 8901 8902; do
  exec 3<>/dev/tcp/127.0.0.1/$port
  echo "hello $port" >&3
  head -n 2 <&3
  wc -c <&3
done
echo "left: $BUN_OPTIONS$CLAUDE_HOOKS_DOORS$CLAUDE_HOOKS_COMMANDS"
exit 7
`;

async function runCommands(engine: TestEngine): Promise<{ said: string; code: number | null }> {
  const folder = testFolder();
  const sockets = { packages: join(folder, 'p.sock'), names: join(folder, 'n.sock') };
  await Promise.all(Object.values(sockets).map(listenAt));
  const cli = await cliFor({ oci: engine.oci, image: engine.image, executable: null, muslCliPath: null });
  const container = await engine.engine.start({
    instance: folder,
    dispatch: randomUUID(),
    image: engine.image,
    user: null,
    limits: { memoryBytes: 2 ** 31, cpus: null, pids: 500 },
    network: 'none',
    mounts: [
      { source: cli, target: cli, access: 'read' },
      { source: await writeDoorScript(folder), target: INNER.script, access: 'read', shown: true },
      ...INNER.doors.map(({ name, socket }) => ({
        source: sockets[name],
        target: socket,
        access: 'write' as const,
        owned: true,
      })),
    ],
  });
  onTestFinished(() => container.stop());
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/tmp' };
  const child = container.spawn(spawnWithDoors({ cli, commands: COMMANDS, env, cwd: '/', inner: INNER }));
  let said = '';
  child.stdout.on('data', (data: Buffer) => {
    said += String(data);
  });
  child.stderr?.on('data', (data: Buffer) => {
    said += String(data);
  });
  child.stdin.end();
  // 'exit' may come before the last of what was said.
  const code = await new Promise<number | null>((resolve) => (child as ChildProcess).once('close', resolve));
  await container.stop();
  return { said, code };
}

for (const engine of testEngines().filter((one) => one.engine.isolates && !isShownByPodman(one))) {
  const cli = needs('cli');
  const reason = [engine.need.reason, cli.reason].filter((r) => r !== '').join('; ');
  test.skipIf(reason !== '')(
    titleOf(`commands in ${engine.name} reach two doors without a run of the model`, reason),
    async () => {
      const { said, code } = await runCommands(engine);
      const door = (port: number) => `hello ${port}\nhello ${port}\n${MANY}\n`;
      expect(said).toBe(`${door(8901)}${door(8902)}left: \n`);
      expect(code).toBe(7);
    },
  );
}
