/** The state folder and the files named in the configuration: there, ours, writable, roomy, readable. */
import { access, constants, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from './check.ts';
import type { Check, DoctorContext } from './context.ts';

/** The CLI loses lines of a transcript on a full disk without a word; SESSIONS.md B4. */
const LEAST_FREE_BYTES = 64 * 1024 ** 2;
const LITTLE_FREE_BYTES = 1024 ** 3;

export const checkFolders: Check = async (context) => {
  const { state, git } = context.config;
  const findings: Finding[] = [];
  if (await exists(state)) {
    for (const folder of await stateFolders(state)) findings.push(...(await checkFolder(folder)));
    findings.push(...(await checkOwners(context)));
  }
  if (git.signingKeyFile !== null) findings.push(...(await checkKey(git.signingKeyFile)));
  return findings;
};

/** Each may be a mount of its own. */
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

async function checkFolder(folder: string): Promise<Finding[]> {
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

function notWritable(folder: string, code: string): Finding {
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

/** Enough to see a pattern; an installation may have tens of thousands. */
const MOST_CONVERSATIONS = 200;

/** Files of another user end conversations: the CLI finds nothing, or answers and saves nothing. */
async function checkOwners({ config, uid }: DoctorContext): Promise<Finding[]> {
  if (uid === null) return [];
  const findings: Finding[] = [];
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

async function checkKey(file: string): Promise<Finding[]> {
  const key = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => error);
  const subject = 'git.signing_key_file';
  if (key instanceof Error) {
    return [
      {
        check: 'key-unreadable',
        severity: 'broken',
        subject,
        problem: 'the signing key cannot be read',
        evidence: `${file}: ${key.code ?? key.message}`,
        remedy: 'Let the file be owned by the user of the service, mode 0600, or correct the path.',
      },
    ];
  }
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key)) return [];
  return [
    {
      check: 'key-is-no-key',
      severity: 'broken',
      subject,
      problem: 'the file is no private key',
      evidence: `${file} does not hold a line “BEGIN … PRIVATE KEY”`,
      remedy: 'Name the private half of an SSH key; `ssh-keygen -t ed25519` makes one.',
    },
  ];
}
