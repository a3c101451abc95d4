/** A command at a real terminal, made by util-linux `script`: what it shows, without escapes, and what is typed to it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { patience } from './patience.ts';

const PATIENCE_MS = patience(60_000);

export class Terminal {
  readonly #child: ChildProcess;
  #shown = '';
  readonly ended: Promise<number | null>;

  /** `stays`: the terminal goes on after the command, as in a shell of somebody */
  constructor(argv: readonly string[], o: { env: Record<string, string>; stays?: boolean }) {
    const command = argv.map((one) => `'${one.replaceAll("'", `'\\''`)}'`).join(' ');
    const run = o.stays === true ? `${command}; sleep 600` : `exec ${command}`;
    const sized = `stty rows 40 cols 120; ${run}`;
    this.#child = spawn('script', ['-qefc', sized, '/dev/null'], { env: o.env, stdio: 'pipe' });
    this.#child.stdout!.on('data', (data: Buffer) => (this.#shown += data.toString('utf8')));
    this.#child.stdin!.on('error', () => {});
    this.ended = new Promise((resolve) => this.#child.once('exit', (code) => resolve(code)));
  }

  /** Process id of the command in a terminal that stays; there `script` and a shell are its parents. */
  get commandPid(): number {
    const child = (pid: number) =>
      Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ')[0]);
    return child(child(this.#child.pid!));
  }

  /** All that was shown so far, in one line, without the spaces: a CLI moves the cursor in place of writing them. */
  get shown(): string {
    return this.#shown
      .replace(/\u001b(\[[0-9;?<>=]*[ -/]*[@-~]|\][^\u0007]*(\u0007|\u001b\\)|[()].|[78=>])/g, '')
      .replace(/\s+/g, '');
  }

  async shows(text: string): Promise<void> {
    const wanted = text.replace(/\s+/g, '');
    const deadline = Date.now() + PATIENCE_MS;
    while (!this.shown.includes(wanted)) {
      if (Date.now() > deadline || this.#child.exitCode !== null) {
        throw new Error(`The terminal does not show "${text}". It shows:\n${this.shown.slice(-3000)}`);
      }
      await sleep(50);
    }
  }

  /** Types the text, waits until it is shown, and sends it with the return key. */
  async type(text: string): Promise<void> {
    this.#child.stdin!.write(text);
    await this.shows(text);
    this.#child.stdin!.write('\r');
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
