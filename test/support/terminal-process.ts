/** Runs one command at a terminal of an engine and says which terminals there are: `node terminal-process.ts <engine>`. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerSpec } from '../../src/container/container.ts';
import { testEngines } from './engines.ts';

const { engine, image } = testEngines().find(({ name }) => name === process.argv[2])!;
const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-terminal-'));
const lockFile = join(folder, 'lock');
/** field 7: the controlling terminal */
const own = readFileSync('/proc/self/stat', 'latin1').split(' ')[6];
// It stands for another program in the shell of the person who attached.
const bystander = spawn('sleep', ['600'], { stdio: 'ignore' });
const SPEC: ContainerSpec = {
  instance: `terminal-test-${process.pid}`,
  dispatch: 'terminal-test',
  mounts: [],
  image,
  user: null,
  limits: { memoryBytes: null, cpus: null, pids: null },
  network: 'none',
};

async function begin(script: string) {
  const env = { PATH: '/usr/bin:/bin', TERM: 'xterm' };
  const args = ['-c', script];
  return await engine.startAtTerminal(SPEC, { command: '/bin/sh', args, env, cwd: '/', lockFile });
}

const container = await begin(
  `read stat </proc/self/stat; set -- $stat; echo "inside=$7 $(stty size) it's"; read line; echo "typed=$line"; exit 7`,
);
const code = await container.ended;
await container.stop();
/** A command that is stopped while it runs, as /proc shows it. */
const SECOND = ['sleep', '611', ''].join('\0');
const second = await begin('exec sleep 611');
while (!isRunning(SECOND)) await sleep(20);
await second.stop();
await second.ended;
const isAlive =
  bystander.exitCode === null && bystander.signalCode === null && process.kill(bystander.pid!, 0);
bystander.kill('SIGKILL');
rmSync(folder, { recursive: true });
const left = isRunning(SECOND) ? 'left' : 'nothing left';
process.stdout.write(`own=${own} code=${code} bystander=${isAlive ? 'alive' : 'killed'}, ${left}.\n`);

function isRunning(command: string): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith(command);
    } catch {
      return false;
    }
  });
}
