/** The service as a process of its own: `claude-hooks serve`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { COMPILED } from './compiled.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

export class ServiceProcess {
  readonly child: ChildProcess;
  readonly listening: Promise<string>;
  /** resolves with the exit code, null after a signal */
  readonly ended: Promise<number | null>;

  /** What it says goes to `logged`, too. `cli`: of other sources than these. */
  constructor(o: { configFile: string; env: Record<string, string>; logged: string[]; cli?: string }) {
    const child = spawn(process.execPath, [o.cli ?? CLI, 'serve', '--config', o.configFile], {
      env: { ...COMPILED, ...o.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    this.ended = once(child, 'close').then(([code]) => code as number | null);
    this.listening = new Promise((resolve, reject) => {
      let output = '';
      const read = (data: Buffer) => {
        output += data.toString('utf8');
        o.logged.push(data.toString('utf8'));
        const match = /listens on (http:\/\/[\w.:]+)/.exec(output);
        if (match !== null) resolve(match[1]!);
      };
      child.stdout!.on('data', read);
      child.stderr!.on('data', read);
      void this.ended.then((code) => reject(new Error(`The service ended with code ${code}:\n${output}`)));
    });
    // Callers that wait for it get the error. Nobody has to wait.
    this.listening.catch(() => {});
  }

  /** No handler runs, nothing is flushed. Harmless when it has ended already. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  async terminate(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return await this.ended;
  }
}
