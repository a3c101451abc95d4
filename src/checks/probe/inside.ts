/** One short command inside a container, with what it wrote. */
import type { ContainerEngine, ContainerSpec, SpawnSpec } from '../../container/container.ts';

export interface InsideResult {
  /** null when it was killed: it took too long */
  code: number | null;
  stdout: string;
  stderr: string;
}

const KEPT = 20_000;

/** Starts a container for it and stops it. Rejects with EngineFailed when it does not start. */
export async function runInside(
  engine: ContainerEngine,
  spec: ContainerSpec,
  command: Omit<SpawnSpec, 'lockFile'> & { timeoutMs: number },
): Promise<InsideResult> {
  const container = await engine.start(spec);
  try {
    const { timeoutMs, ...spawn } = command;
    const child = container.spawn({ ...spawn, lockFile: null });
    const result: InsideResult = { code: null, stdout: '', stderr: '' };
    const keep = (to: 'stdout' | 'stderr') => (data: Buffer) => {
      result[to] = (result[to] + data.toString('utf8')).slice(-KEPT);
    };
    child.stdout.on('data', keep('stdout'));
    child.stderr?.on('data', keep('stderr'));
    child.stdin.on('error', () => {});
    child.stdin.end();
    const ended = Promise.all([exitOf(child), endOf(child.stdout)]);
    const timer = setTimeout(() => void container.stop(), timeoutMs);
    const [code] = await ended.finally(() => clearTimeout(timer));
    return { ...result, code };
  } finally {
    await container.stop();
  }
}

type Child = ReturnType<Awaited<ReturnType<ContainerEngine['start']>>['spawn']>;

function exitOf(child: Child): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => resolve(code));
    child.once('error', reject);
  });
}

function endOf(stream: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve) => {
    stream.once('close', () => resolve());
    stream.once('error', () => resolve());
  });
}
