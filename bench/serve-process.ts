/** `claude-hooks serve` as a process of its own: from the source, or from a build as the package has it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export interface ServeProcess {
  pid: number;
  url: string;
  stop(): Promise<void>;
}

export async function serve(o: {
  cli: string;
  config: string;
  env: Record<string, string>;
}): Promise<ServeProcess> {
  const child = spawn(process.execPath, [...flagsOf(o.cli), o.cli, 'serve', '--config', o.config], {
    env: o.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // A part that fails must not leave a service behind.
  const killed = () => void child.kill('SIGKILL');
  process.once('exit', killed);
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const read = (data: Buffer) => {
      output = (output + data.toString('utf8')).slice(-10_000);
      const match = /listens on (http:\/\/[\w.:]+)/.exec(output);
      if (match !== null) resolve(match[1]!);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`The service ended with code ${code}:\n${output}`)));
  });
  return {
    pid: child.pid!,
    url,
    stop: async () => {
      process.off('exit', killed);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/** The options its first line gives to Node: what the installed command runs with. */
function flagsOf(cli: string): string[] {
  const [first = ''] = readFileSync(cli, 'utf8').split('\n');
  return /^#!.*\bnode((?: --\S+)*)$/.exec(first)?.[1]?.trim().split(' ').filter(Boolean) ?? [];
}

/** Builds into a folder with everything the package has beside it; answers the path of its `cli`. */
export async function buildPackage(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  for (const name of ['package.json', 'defaults', 'node_modules']) {
    symlinkSync(join(ROOT, name), join(folder, name));
  }
  const dist = join(folder, 'dist');
  const compiler = join(ROOT, 'node_modules', '.bin', 'tsc');
  await promisify(execFile)(compiler, ['-p', 'tsconfig.build.json', '--outDir', dist], { cwd: ROOT });
  return join(dist, 'src', 'cli.js');
}
