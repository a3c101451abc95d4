/** Where agents run: an engine that works, an image that serves, a CLI that starts in it, and which CLI that is. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { AgentConfig } from '../config/config.ts';
import { EngineFailed } from '../container/container.ts';
import { tryOverlay } from '../container/overlay-trial.ts';
import { socketRemedy } from '../container/runtime.ts';
import { actingAgents } from './acting-agents.ts';
import type { Check } from './check.ts';
import type { DoctorContext, WorkingEngine } from './context.ts';
import { runInside } from './probe/inside.ts';
import { whyNoSocket } from './probe/socket.ts';

export async function checkEngines(context: DoctorContext): Promise<Check[]> {
  const drift = await checkCliPath(context);
  const { container } = context.config;
  try {
    const { chosen, tried } = await context.engine();
    const passed = tried.filter((t) => !EXPECTED.test(t.problem));
    return [
      ...drift,
      ...passed.map((t) => passedOver(t, chosen.engine.name)),
      ...checkLimits(context, chosen),
      ...(await checkImages(context, chosen)),
      ...(await checkLayers(context, chosen)),
    ];
  } catch (error) {
    if (!(error instanceof EngineFailed)) throw error;
    return [...drift, engineMissing(container.engine, error)];
  }
}

export function engineMissing(
  configured: string,
  { problem, remedy }: EngineFailed,
): Check<'engine-missing'> {
  return {
    check: 'engine-missing',
    severity: 'broken',
    fault: 'missing',
    subject: `container.engine ${configured}`,
    problem: 'no engine starts containers here, so no agent can run',
    evidence: problem.replaceAll('\n', ' '),
    remedy,
  };
}

/** An engine that nobody set up is no finding. */
const EXPECTED = /is not installed|No image is configured/;

function passedOver(trial: { name: string; problem: string; remedy: string }, chosen: string): Check {
  return {
    check: 'engine-passed-over',
    severity: 'note',
    subject: trial.name,
    problem: `${trial.name} would come before ${chosen}, and cannot be used`,
    evidence: trial.problem,
    remedy: trial.remedy === '' ? `Nothing, if ${chosen} is what you want.` : trial.remedy,
  };
}

/** Not for `process`: it keeps no limit, was chosen by name, and says so at each start. */
function checkLimits({ config }: DoctorContext, { engine }: WorkingEngine): Check[] {
  if (!engine.isolates) return [];
  const agents = actingAgents(config);
  const isSet: Readonly<Record<string, boolean>> = {
    memory: agents.some((a) => a.container.memoryBytes !== null),
    cpus: agents.some((a) => a.container.cpus !== null),
    user: agents.some((a) => a.container.user !== null),
  };
  const lost = engine.unheld.filter((limit) => isSet[limit] ?? true);
  if (lost.length === 0) return [];
  const isOnlyDefault = lost.every((limit) => limit === 'pids');
  return [
    {
      check: 'limit-not-kept',
      severity: isOnlyDefault ? 'note' : 'risk',
      subject: engine.name,
      problem: `${engine.name} does not keep these settings here: ${lost.join(', ')}`,
      evidence: 'for limits, no cgroup of the service’s own could be made',
      remedy:
        'Give the service a cgroup of its own (Delegate=yes in its systemd unit), or use docker or podman.',
    },
  ];
}

/** One look per image, whoever uses it. */
async function checkImages(context: DoctorContext, chosen: WorkingEngine): Promise<Check[]> {
  const findings: Check[] = [];
  const looked = new Set<string>();
  for (const agent of actingAgents(context.config)) {
    const { image, user } = agent.container;
    const key = JSON.stringify([image, user]);
    if (looked.has(key)) continue;
    looked.add(key);
    findings.push(...(await checkImage(context, chosen, agent)));
  }
  return findings;
}

async function checkImage(
  context: DoctorContext,
  chosen: WorkingEngine,
  agent: AgentConfig,
): Promise<Check[]> {
  const { image } = agent.container;
  const subject = image === null || !chosen.takesImages ? chosen.engine.name : `image ${image}`;
  let cli: string;
  try {
    // Looks for the shell and the C library before anything else, and says what is wrong with the image.
    cli = await context.cli(image);
  } catch (error) {
    if (!(error instanceof EngineFailed)) throw error;
    return [imageFailed(subject, error)];
  }
  const started = await startCli({ chosen, agent, subject, cli });
  return started.length > 0 ? started : await checkSocket(context, { chosen, agent, subject, cli });
}

/** How what set-up commands made is shown to runs, where the configuration has such commands. */
async function checkLayers({ config }: DoctorContext, { engine }: WorkingEngine): Promise<Check[]> {
  const agents = actingAgents(config).filter(({ container }) => container.setup.commands.length > 0);
  const [first] = agents;
  if (first === undefined) return [];
  if (!engine.isolates) {
    return [
      {
        check: 'set-up-not-run',
        severity: 'risk',
        subject: 'container.setup',
        problem: 'set-up commands are not run, because agents run as bare processes',
        evidence: 'container.engine is process',
        remedy: 'Use bubblewrap, podman or docker, or remove container.setup.',
      },
    ];
  }
  const { image, user } = first.container;
  const problem = await tryOverlay({ engine, folder: join(config.state, 'layers'), image, user });
  if (problem === null) return [];
  return [
    {
      check: 'layers-copied',
      severity: 'note',
      subject: engine.name,
      problem: 'no overlay can be mounted, so what set-up commands made is copied for each conversation',
      evidence: problem,
      remedy:
        'Allow user namespaces to the service (Linux 5.11 or newer), run it as root, or have the state folder on a file system that shares blocks (XFS, Btrfs).',
    },
  ];
}

function imageFailed(subject: string, { problem, remedy }: EngineFailed): Check {
  const isShell = /no shell|has no bash/.test(problem);
  const isLibc = /build of the CLI|neither glibc nor musl/.test(problem);
  const check = isShell ? 'image-without-shell' : isLibc ? 'cli-does-not-fit' : 'image-unusable';
  return {
    check,
    severity: 'broken',
    subject,
    problem: 'agents cannot run in it',
    evidence: problem,
    remedy,
  };
}

/** A runtime that somebody chose may keep sockets of this machine out. */
async function checkSocket(
  { config }: DoctorContext,
  {
    chosen: { engine },
    agent,
    subject,
    cli,
  }: { chosen: WorkingEngine; agent: AgentConfig; subject: string; cli: string },
): Promise<Check[]> {
  const { runtime } = config.container;
  if (runtime === null || !engine.isolates) return [];
  const { image, user } = agent.container;
  const seen = await whyNoSocket({ engine, cli, spec: { image, user }, path: STANDARD_PATH });
  if (seen === null) return [];
  return [
    {
      check: 'sockets-out-of-reach',
      severity: 'broken',
      subject: `${subject}, runtime ${runtime}`,
      problem: 'programs in it reach no socket of the service, so neither the model nor a door',
      evidence: seen,
      remedy: socketRemedy({ name: engine.name, runtime }),
    },
  ];
}

const LOOK =
  'if command -v git >/dev/null 2>&1; then echo git=yes; else echo git=no; fi; exec "$0" --version';

async function startCli({
  chosen,
  agent,
  subject,
  cli,
}: {
  chosen: WorkingEngine;
  agent: AgentConfig;
  subject: string;
  cli: string;
}): Promise<Check[]> {
  const { image, user } = agent.container;
  const result = await runInside(
    chosen.engine,
    {
      instance: 'claude-hooks-doctor',
      dispatch: `doctor-${process.pid}`,
      mounts: chosen.engine.isolates ? [{ source: cli, target: cli, access: 'read' }] : [],
      image,
      user,
      limits: { memoryBytes: null, cpus: null, pids: null },
      network: 'none',
    },
    {
      command: 'sh',
      args: ['-c', LOOK, cli],
      env: { PATH: STANDARD_PATH, HOME: '/tmp' },
      cwd: '/',
      timeoutMs: 60_000,
    },
  );
  const findings: Check[] = [];
  if (/^git=no$/m.test(result.stdout)) {
    findings.push({
      check: 'image-without-git',
      severity: 'broken',
      subject,
      problem: 'there is no git in it, so agents can neither commit nor push',
      evidence: '`command -v git` found nothing',
      remedy: 'Install git in the image.',
    });
  }
  if (result.code === 0) return findings;
  const words = result.stderr.trim().split('\n').at(-1) ?? '';
  findings.push({
    check: 'cli-does-not-start',
    severity: 'broken',
    subject,
    problem: 'the CLI does not start in it',
    evidence: `${cli} --version: exit code ${result.code}${words === '' ? '' : `, ${words}`}`,
    remedy:
      'Most often glibc and musl are mixed up, or the image is for another processor: choose an image that fits, or set container.musl_cli_path or worker.cli_path.',
  });
  return findings;
}

const STANDARD_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Another CLI than the one this release was made and tried with. */
async function checkCliPath({ config, pinnedCliVersion }: DoctorContext): Promise<Check[]> {
  const { cliPath } = config.worker;
  if (cliPath === null) return [];
  const about = { severity: 'risk', subject: 'worker.cli_path' } as const;
  let said: string;
  try {
    const env = { PATH: STANDARD_PATH, HOME: '/nonexistent' };
    said = (await promisify(execFile)(cliPath, ['--version'], { env, timeout: 30_000 })).stdout.trim();
  } catch (error) {
    return [
      {
        ...about,
        check: 'cli-does-not-start',
        severity: 'broken',
        problem: 'the configured CLI does not run on this machine',
        evidence: `${cliPath}: ${(error as Error).message.split('\n')[0]}`,
        remedy: 'Take out worker.cli_path to use the CLI this release was made with, or correct it.',
      },
    ];
  }
  if (said.split(' ')[0] === pinnedCliVersion) return [];
  return [
    {
      ...about,
      check: 'cli-version-drift',
      problem: 'the configured CLI is of another version than the Agent SDK of this release',
      evidence: `${cliPath} says ${said}; pinned is ${pinnedCliVersion}`,
      remedy: 'Take out worker.cli_path, or run `claude-hooks smoke` after each change of that file.',
    },
  ];
}
