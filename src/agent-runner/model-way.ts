/**
 * How this CLI reaches the model's socket. It is tried once for each binary, and the answer is stored beside the sockets,
 * so that a restart does not try again.
 */
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineFailed } from '../container/container.ts';
import type { Log } from '../log.ts';
import { writeForwarder } from './model-forwarder.ts';
import { checkModelSocket, type ModelSocketCheck } from './model-socket.ts';

export interface ModelWayOptions {
  /** for the answer, and for the forwarder's script if it is needed */
  folder: string;
  path: string;
  log: Log;
}

type Way = Exclude<ModelSocketCheck['kind'], 'none'>;

/** Answers of this process: a binary does not change while the service runs. */
const known = new Map<string, Promise<Way>>();

/** `RunnerDeps.forwarder`. Throws EngineFailed when the CLI reaches the socket in neither way. */
export function modelWay(options: ModelWayOptions): (cli: string) => Promise<string | null> {
  return async (cli) => {
    const binary = await identityOf(cli);
    const asked = known.get(binary) ?? find(cli, binary, options);
    known.set(binary, asked);
    asked.catch(() => known.delete(binary));
    return (await asked) === 'socket' ? null : await writeForwarder(options.folder);
  };
}

/** By size and time, because another build may be at the same path. */
async function identityOf(cli: string): Promise<string> {
  const { size, mtimeMs } = await stat(cli);
  return JSON.stringify([cli, size, mtimeMs]);
}

async function find(cli: string, binary: string, { folder, path, log }: ModelWayOptions): Promise<Way> {
  const file = join(folder, 'model-way.json');
  const stored = await readFile(file, 'utf8').then(JSON.parse, () => null);
  if (stored?.binary === binary && stored.way === 'socket') return 'socket';
  const check = await checkModelSocket({ cli, path });
  if (check.kind === 'none') throw new EngineFailed('The CLI does not reach the model.', check.why);
  if (check.kind === 'forwarder') {
    log.warn(
      `${check.why}. The forwarder is used instead, which is the fallback: use the CLI that is pinned.`,
    );
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(file, JSON.stringify({ binary, way: check.kind }));
  return check.kind;
}
