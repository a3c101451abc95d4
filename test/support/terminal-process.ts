/** Runs one command at a terminal of an engine and says which terminals there are: `node terminal-process.ts <engine>`. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { bubblewrapEngine } from '../../src/container/bubblewrap.ts';
import { findCgroups } from '../../src/container/cgroup.ts';
import { findProgram } from '../../src/container/choose.ts';
import type { ContainerSpec } from '../../src/container/container.ts';
import { processEngine } from '../../src/container/process.ts';

const path = process.env.PATH!;
const script = findProgram('script', path);
const engine =
  process.argv[2] === 'process'
    ? processEngine({ flock: null, script })
    : bubblewrapEngine({
        program: findProgram('bwrap', path)!,
        flock: null,
        cgroups: findCgroups(),
        overlay: null,
        script,
      });
/** field 7: the controlling terminal */
const own = readFileSync('/proc/self/stat', 'latin1').split(' ')[6];
// Whatever else runs in the shell of whoever attached.
const bystander = spawn('sleep', ['600'], { stdio: 'ignore' });
const SPEC: ContainerSpec = {
  instance: `terminal-test-${process.pid}`,
  dispatch: 'terminal-test',
  mounts: [],
  image: null,
  user: null,
  limits: { memoryBytes: null, cpus: null, pids: null },
  network: 'none',
};

async function begin(script: string) {
  const env = { PATH: '/usr/bin:/bin', TERM: 'xterm' };
  const args = ['-c', script];
  return await engine.startAtTerminal(SPEC, { command: '/bin/sh', args, env, cwd: '/', lockFile: null });
}

const container = await begin(
  `read stat </proc/self/stat; set -- $stat; echo "inside=$7 $(stty size) it's"; read line; echo "typed=$line"; exit 7`,
);
const code = await container.ended;
await container.stop();
// One that is stopped while it runs.
const second = await begin('exec sleep 611');
while (!isRunning('sleep\x311')) await sleep(20);
await second.stop();
await second.ended;
const isAlive =
  bystander.exitCode === null && bystander.signalCode === null && process.kill(bystander.pid!, 0);
bystander.kill('SIGKILL');
const left = isRunning('sleep\x311') ? 'left' : 'nothing left';
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
