/**
 * Doors of a container to the service, as programs inside reach them: `http://127.0.0.1:<port>/` inside is a unix socket
 * of the service outside. The model's socket needs none of this, because the CLI takes it by itself.
 *
 * The listener inside is a script in the CLI's own process: the CLI is a single file made with Bun, and Bun runs a script
 * before the program when BUN_OPTIONS says so (seen on CLI 2.1.330). So no image needs an interpreter, and there is no
 * second process to look after. Bytes are piped as they are, so whatever is spoken at the door passes: HTTP, or CONNECT.
 */
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerEngine, Mount, SpawnSpec } from './container.ts';

/** Ports on loopback inside. A container with doors has a network namespace of its own, so nobody else is there. */
export const DOOR_PORTS = { packages: 8901, names: 8902 } as const;
export type ContainerDoorName = keyof typeof DOOR_PORTS;

/** One door that is open for one container. */
export interface ContainerDoor {
  name: ContainerDoorName;
  /** the service's socket, on this machine */
  socket: string;
  /** for the programs inside; two doors may not set the same variable to different values */
  environment: Readonly<Record<string, string>>;
  /** settings of tools, read-only inside */
  mounts: readonly Mount[];
}

/** The same as seen inside. */
export interface InnerDoors {
  /** path of the listener's script */
  script: string;
  doors: readonly { name: ContainerDoorName; port: number; socket: string }[];
  environment: Readonly<Record<string, string>>;
}

/**
 * Whether doors are opened for such a container. Without a network namespace of its own the ports would be this
 * machine's, open to everybody on it; and its tools reach the network by themselves.
 */
export function hasDoors(engine: Pick<ContainerEngine, 'isolates'>, network: 'none' | 'host'): boolean {
  // guard: doors: only behind a network of its own
  return engine.isolates && network === 'none';
}

const SCRIPT = `const { env } = Bun;
const net = require('node:net');
const doors = env.CLAUDE_HOOKS_DOORS.split('\\n').filter(Boolean);
const commands = env.CLAUDE_HOOKS_COMMANDS;
delete env.BUN_OPTIONS;
delete env.CLAUDE_HOOKS_DOORS;
delete env.CLAUDE_HOOKS_COMMANDS;
const open = [];
for (const door of doors) {
  const [, name, port, path] = /^([^:]+):([0-9]+):(.+)$/.exec(door);
  const server = net.createServer({ allowHalfOpen: true }, (inside) => {
    const outside = net.connect({ path, allowHalfOpen: true });
    inside.pipe(outside);
    outside.pipe(inside);
    const end = () => {
      inside.destroy();
      outside.destroy();
    };
    for (const socket of [inside, outside]) {
      socket.on('error', end);
      socket.on('close', end);
      socket.unref();
    }
  });
  server.on('error', (error) => console.error('claude-hooks: the door ' + name + ' is shut: ' + error.message));
  open.push(new Promise((resolve) => server.once('listening', resolve).once('error', resolve)));
  server.listen(Number(port), '127.0.0.1');
  server.unref();
}
// Nobody inside may ask at a door before it is open.
await Promise.all(open);
if (commands !== undefined) {
  const child = require('node:child_process').spawn('bash', ['-c', commands], { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const number = (signal) => require('node:os').constants.signals[signal];
  await new Promise(() => {
    child.on('error', (error) => {
      console.error('claude-hooks: bash did not start: ' + error.message);
      process.exit(127);
    });
    child.on('exit', (code, signal) => process.exit(code ?? 128 + number(signal)));
  });
}
`;

/**
 * Writes the listener's script into `folder` and answers its path on this machine. By a rename, because a container may
 * be reading the one that is there.
 */
export async function writeDoorScript(folder: string): Promise<string> {
  const path = join(folder, 'doors.js');
  const fresh = `${path}.${randomUUID()}`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(fresh, SCRIPT);
  await chmod(fresh, 0o644);
  await rename(fresh, path);
  return path;
}

/** The CLI's environment with the doors listening in its process; null = there are none. */
export function environmentWithDoors(
  env: Record<string, string>,
  inner: InnerDoors | null,
): Record<string, string> {
  if (inner === null || inner.doors.length === 0) return env;
  const preloads = [env.BUN_OPTIONS, `--preload=${inner.script}`].filter((one) => one !== undefined);
  return {
    ...inner.environment,
    ...env,
    BUN_OPTIONS: preloads.join(' '),
    CLAUDE_HOOKS_DOORS: inner.doors.map(({ name, port, socket }) => `${name}:${port}:${socket}`).join('\n'),
  };
}

/** Commands in a container without a run of the model. Most bytes that the kernel takes in one variable: 128 KiB. */
export interface CommandsWithDoors {
  /** path of the CLI inside: it holds the doors, and neither asks the model nor reads settings */
  cli: string;
  /** for `bash -c`; its exit code is that of the process, 128 + n for a signal */
  commands: string;
  env: Record<string, string>;
  cwd: string;
  inner: InnerDoors;
}

/** What to spawn in the container for them. */
export function spawnWithDoors(o: CommandsWithDoors): SpawnSpec {
  const env = { CLAUDE_HOOKS_DOORS: '', ...environmentWithDoors(o.env, o.inner) };
  return {
    command: o.cli,
    args: ['--version'],
    env: { ...env, BUN_OPTIONS: `--preload=${o.inner.script}`, CLAUDE_HOOKS_COMMANDS: o.commands },
    cwd: o.cwd,
    lockFile: null,
  };
}
