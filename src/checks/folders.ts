/** The state folder and the files named in the configuration: there, ours, writable, roomy, readable. */
import { access, constants, readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from './check.ts';
import type { DoctorContext, Look } from './context.ts';
import { checkSigningKey } from './signing-key.ts';

/** On a full disk the CLI loses lines of a transcript and gives no error. */
const LEAST_FREE_BYTES = 64 * 1024 ** 2;
const LITTLE_FREE_BYTES = 1024 ** 3;

export const checkFolders: Look = async (context) => {
  const { state, git } = context.config;
  const findings: Check[] = [];
  if (await exists(state)) {
    for (const folder of await stateFolders(state)) findings.push(...(await checkFolder(folder)));
    findings.push(...(await checkOwners(context)));
  }
  return [...findings, ...(await checkSigningKey(git.signingKeyFile))];
};

/** An operator may mount each of them by itself, so each is tried. */
async function stateFolders(state: string): Promise<string[]> {
  const parts = ['conversations', 'work', 'locks', 'caches'].map((name) => join(state, name));
  const there = await Promise.all(parts.map(exists));
  return [state, ...parts.filter((_, at) => there[at])];
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

async function checkFolder(folder: string): Promise<Check[]> {
  const problem = await accessProblem(folder, constants.R_OK | constants.W_OK);
  if (problem !== null) return [notWritable(folder, problem)];
  const { bavail, bsize, blocks } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= LITTLE_FREE_BYTES) return [];
  const isTooLittle = free < LEAST_FREE_BYTES;
  const mib = (bytes: number) => `${Math.floor(bytes / 1024 ** 2)} MiB`;
  return [
    {
      check: isTooLittle ? 'disk-full' : 'disk-low',
      severity: isTooLittle ? 'broken' : 'risk',
      subject: folder,
      problem: isTooLittle
        ? 'the file system has too little room: transcripts would be cut without a word'
        : 'the file system has little room left',
      evidence: `${mib(free)} free of ${mib(blocks * bsize)}; at least ${mib(LEAST_FREE_BYTES)} are needed`,
      remedy: 'Free space, or give the state folder a larger file system.',
    },
  ];
}

async function accessProblem(path: string, mode: number): Promise<string | null> {
  return await access(path, mode).then(
    () => null,
    (error: NodeJS.ErrnoException) => error.code ?? String(error),
  );
}

function notWritable(folder: string, code: string): Check {
  const isReadOnly = code === 'EROFS';
  return {
    check: isReadOnly ? 'mount-read-only' : 'folder-not-writable',
    severity: 'broken',
    subject: folder,
    problem: isReadOnly
      ? 'the folder is on a read-only mount: the CLI would answer, and forget every turn'
      : 'this process may not write here',
    evidence: code,
    remedy: isReadOnly
      ? 'Mount it read-write (`rw`), in the service’s own unit or container as well.'
      : 'Give the folder to the user the service runs as (chown -R), or run it as the folder’s owner.',
  };
}

/** An installation may have tens of thousands of conversations; so many show whether owners differ. */
const MOST_CONVERSATIONS = 200;

/** A CLI that may not read or write its folder finds no session, or answers and saves nothing. */
async function checkOwners({ config, uid }: DoctorContext): Promise<Check[]> {
  if (uid === null) return [];
  const findings: Check[] = [];
  const expected = new Set([uid, ...[...config.agents.values()].map((a) => a.container.user?.uid ?? uid)]);
  const base = join(config.state, 'conversations');
  const foreign: string[] = [];
  for (const name of (await readdir(base).catch(() => [])).slice(0, MOST_CONVERSATIONS)) {
    const cli = join(base, name, 'cli');
    for (const path of [cli, join(cli, 'projects'), join(cli, 'projects', 'conversation')]) {
      const owner = await stat(path).catch(() => null);
      if (owner !== null && !expected.has(owner.uid)) {
        foreign.push(`${path} (uid ${owner.uid})`);
        break;
      }
    }
  }
  if (foreign.length > 0) {
    findings.push({
      check: 'owner-mismatch',
      severity: 'broken',
      subject: base,
      problem: `CLI folders of ${foreign.length} conversations belong to another user than the one agents run as`,
      evidence: `${foreign.slice(0, 3).join(', ')}${foreign.length > 3 ? ', …' : ''}; expected uid ${[...expected].join(' or ')}`,
      remedy: `Run chown -R on ${base} to the user of the service, and keep one user for good.`,
    });
  }
  for (const agent of config.agents.values()) {
    const user = agent.container.user;
    if (user === null || user.uid === uid || uid === 0) continue;
    findings.push({
      check: 'user-mismatch',
      severity: 'risk',
      subject: `agent ${agent.name}`,
      problem: 'its container runs as another user than the service, which makes its folders',
      evidence: `container.user is ${user.uid}, the service runs as ${uid}`,
      remedy: 'Take out container.user, or run the service as that user.',
    });
  }
  return findings;
}
