/** Whether a program in a container reaches a socket of this machine: model and doors are such sockets. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainerEngine, ContainerSpec } from '../../container/container.ts';
import { DOOR_PORTS, spawnWithDoors, writeDoorScript } from '../../container/doors.ts';
import { runInside } from './inside.ts';

const SCRIPT = '/run/claude-hooks/doors.js';
const SOCKET = '/run/claude-hooks/names.sock';
const WORD = 'heard through the socket';
const ASK = `exec 3<>/dev/tcp/127.0.0.1/${DOOR_PORTS.names} && read -r word <&3 && echo "$word"`;

export interface SocketProbe {
  engine: ContainerEngine;
  cli: string;
  spec: Pick<ContainerSpec, 'image' | 'user'>;
  path: string;
}

/** Null = it does; else what was seen instead. Rejects with EngineFailed when no container starts. */
export async function whyNoSocket({ engine, cli, spec, path }: SocketProbe): Promise<string | null> {
  // Short, because the path of a socket is limited to about 100 bytes.
  const folder = await mkdtemp(join(tmpdir(), 'claude-hooks-k-'));
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`${WORD}\n`);
  });
  try {
    const socket = join(folder, 'k.sock');
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    await chmod(socket, 0o666);
    await chmod(folder, 0o755);
    const script = await writeDoorScript(join(folder, 'script'));
    const inner = {
      script: SCRIPT,
      doors: [{ name: 'names' as const, port: DOOR_PORTS.names, socket: SOCKET }],
      environment: {},
    };
    const { lockFile: _, ...command } = spawnWithDoors({
      cli,
      commands: ASK,
      env: { PATH: path, HOME: '/tmp' },
      cwd: '/',
      inner,
    });
    const { code, stdout, stderr } = await runInside(
      engine,
      {
        ...spec,
        instance: 'claude-hooks-doctor',
        dispatch: `doctor-${process.pid}`,
        mounts: [
          { source: cli, target: cli, access: 'read' },
          { source: script, target: SCRIPT, access: 'read' },
          { source: socket, target: SOCKET, access: 'write' },
        ],
        limits: { memoryBytes: null, cpus: null, pids: null },
        network: 'none',
      },
      { ...command, timeoutMs: 60_000 },
    );
    if (stdout.includes(WORD)) return null;
    return `exit code ${code}, ${stderr.trim().split('\n').at(-1) || 'nothing was heard'}`;
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
