/**
 * Writes to the CLI's folder in the container, as its user, and looks whether this machine sees it, and the reverse. The CLI
 * gives no error where that fails: it answers, and the next run remembers nothing. Reason codes are the causes of a failed
 * resume.
 */
import { randomUUID } from 'node:crypto';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cliEnvironment } from '../../agent-runner/environment.ts';
import type { ContainerEngine, Mount } from '../../container/container.ts';
import { EngineFailed } from '../../container/container.ts';
import type { Place } from '../../container/place.ts';
import { PROJECT_FOLDER_NAME } from '../../sessions/folders.ts';
import { type InsideResult, runInside } from './inside.ts';

export const LAYOUT_REASONS = [
  'container-failed',
  'no-shell',
  'cli-folder-missing',
  'config-read-only',
  'config-not-writable',
  'disk-full',
  'too-small',
  'volume-missing',
  'checkout-missing',
] as const;
export type LayoutReason = (typeof LAYOUT_REASONS)[number];

export type LayoutOutcome =
  | {
      kind: 'sound';
      uid: number;
      /** CLAUDE_CODE_SKIP_PROMPT_HISTORY has come in from somewhere; our own setting for the CLI overrides it */
      leaked: boolean;
    }
  | { kind: 'broken'; reason: LayoutReason; detail: string; remedy: string };

export interface LayoutProbe {
  engine: ContainerEngine;
  instance: string;
  /** names the container */
  dispatch: string;
  place: Place;
  /** the CLI folder on this machine */
  folder: string;
}

/** With less, a run may fill the disk; the CLI then loses lines of the transcript and gives no error. */
const LEAST_FREE_KB = 64 * 1024;
const TIMEOUT_MS = 60_000;

// Values go in by the environment and out by lines, so that nothing has to be quoted. Messages of the shell are the
// only way to tell a read-only mount from a missing right without a program that an image may lack.
const SCRIPT = `
d="$CLAUDE_CONFIG_DIR/projects/$PROBE_PROJECT"
echo "skip=\${CLAUDE_CODE_SKIP_PROMPT_HISTORY-}"
echo "uid=$(id -u)"
if [ -d "$d" ]; then echo folder=yes; else echo folder=no; fi
if [ -d "$CLAUDE_CONFIG_DIR" ] && [ ! -x "$CLAUDE_CONFIG_DIR" ]; then echo barred=yes; fi
if [ -w . ]; then echo checkout=yes; else echo checkout=no; fi
seen=; [ -r "$d/$PROBE_HOST" ] && read -r seen < "$d/$PROBE_HOST"; echo "seen=$seen"
err=$( { echo "$PROBE_VALUE" > "$d/$PROBE_INSIDE"; } 2>&1 ) && echo written=yes || echo "error=$err"
at=; is=
while read -r _ _ _ _ point options rest; do case "$d/" in
  "$point"/*) if [ "\${#point}" -ge "\${#at}" ]; then at=$point; is="\${options%%,*} \${rest#*- }"; fi;;
esac; done < /proc/self/mountinfo
echo "mount=$at $is"
echo "free=$(df -Pk "$d" 2>/dev/null | tail -n 1 | awk '{print $4}' 2>/dev/null)"
`;

export async function probeLayout(probe: LayoutProbe): Promise<LayoutOutcome> {
  const { place } = probe;
  const value = randomUUID();
  const folder = join(probe.folder, 'projects', PROJECT_FOLDER_NAME);
  const files = { host: `.smoke-host-${value}`, inside: `.smoke-inside-${value}` };
  const written = await writeFile(join(folder, files.host), `${value}\n`).then(
    () => true,
    () => false,
  );
  try {
    const result = await runInside(
      probe.engine,
      { ...place.spec, instance: probe.instance, dispatch: probe.dispatch },
      {
        command: 'sh',
        args: ['-c', SCRIPT],
        cwd: place.cwd,
        env: {
          ...cliEnvironment({ place, modelRetries: 0, modelIdleSeconds: 10, root: false }),
          PROBE_PROJECT: PROJECT_FOLDER_NAME,
          PROBE_HOST: files.host,
          PROBE_INSIDE: files.inside,
          PROBE_VALUE: value,
        },
        timeoutMs: TIMEOUT_MS,
      },
    );
    const here = await readFile(join(folder, files.inside), 'utf8').catch(() => null);
    return await judge(probe, { result, value, written, arrived: here?.trim() === value });
  } catch (error) {
    if (!(error instanceof EngineFailed)) throw error;
    return broken('container-failed', error.problem, error.remedy);
  } finally {
    for (const file of Object.values(files)) await rm(join(folder, file), { force: true }).catch(() => {});
  }
}

interface Seen {
  result: InsideResult;
  value: string;
  /** the host could write its own file */
  written: boolean;
  /** what was written inside is here */
  arrived: boolean;
}

async function judge({ place, folder }: LayoutProbe, seen: Seen): Promise<LayoutOutcome> {
  const { result } = seen;
  const said = new Map(
    result.stdout
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const uid = Number(said.get('uid') ?? Number.NaN);
  if (!said.has('folder')) return noShell(place, result);
  const mount = mountWords(place, said.get('mount') ?? '');
  if (said.has('barred')) return await notWritten(folder, { error: 'may not enter', uid, mount });
  if (said.get('folder') === 'no') {
    return broken(
      'cli-folder-missing',
      `${place.config}/projects is not there inside the container: ${mount}`,
      `Mount ${folder} at ${place.config}, with its \`projects\`.`,
    );
  }
  const free = Number(said.get('free') || Number.NaN);
  // dash says only "I/O error" where others say what it was.
  const error = free === 0 ? 'no space' : said.get('error');
  if (said.has('error')) return await notWritten(folder, { error: error!, uid, mount });
  // guard: smoke looks from outside
  if (!seen.arrived || (seen.written && said.get('seen') !== seen.value)) {
    return broken(
      'volume-missing',
      `what is written to ${place.config} inside the container is not in ${folder} on this machine: ${mount}`,
      'Mount the CLI folder itself, not a tmpfs, a copy or another volume: what is written there is gone with the container.',
    );
  }
  if (said.get('checkout') === 'no') {
    return broken(
      'checkout-missing',
      `uid ${uid} may not write to the checkout at ${place.cwd}`,
      'Let container.user be the user of the service.',
    );
  }
  if (free < LEAST_FREE_KB) {
    return broken(
      'too-small',
      `${Math.floor(free / 1024)} MiB are free for the CLI folder, at least ${LEAST_FREE_KB / 1024} are needed: ${mount}`,
      'Free space, or give the state folder a larger file system: on a full one the CLI loses turns without a word.',
    );
  }
  return { kind: 'sound', uid, leaked: (said.get('skip') ?? '') !== '' };
}

function noShell(place: Place, { code, stderr }: InsideResult): LayoutOutcome {
  const words = stderr.trim().split('\n').at(-1) ?? '';
  if (code === 125) {
    return broken('container-failed', words, 'See what the engine says; `claude-hooks doctor` tries each.');
  }
  return broken(
    'no-shell',
    `sh did not run in ${place.spec.image ?? 'the container'} (exit code ${code})${words === '' ? '' : `: ${words}`}`,
    'Use an image with /bin/sh, bash and git.',
  );
}

async function notWritten(
  folder: string,
  { error, uid, mount }: { error: string; uid: number; mount: string },
): Promise<LayoutOutcome> {
  if (/read-only/i.test(error)) {
    return broken(
      'config-read-only',
      `the CLI folder is read-only inside the container: ${mount}`,
      'Mount it read-write: the CLI answers all the same, and every turn is forgotten.',
    );
  }
  if (/no space|quota/i.test(error)) {
    return broken('disk-full', `no room in the CLI folder: ${mount}`, 'Free space on its file system.');
  }
  const owner = await stat(folder).catch(() => null);
  return broken(
    'config-not-writable',
    `uid ${uid} may not write to ${folder}/projects, which belongs to uid ${owner?.uid ?? '?'}: ${mount} (${error.trim()})`,
    'Let one user own the state folder and run in the containers: chown -R it, or change container.user.',
  );
}

/** The mount that should decide what is at the CLI folder, and the one that the container's kernel names. */
function mountWords(place: Place, inside: string): string {
  const covering = place.spec.mounts.filter((m) => within(place.config, m));
  const deciding = covering.sort((a, b) => a.target.length - b.target.length).at(-1);
  const meant =
    deciding === undefined
      ? `no mount covers ${place.config}`
      : `mount ${deciding.source} at ${deciding.target} (${deciding.access})`;
  const [point = '', access = '', type = ''] = inside.split(' ');
  return point === '' ? meant : `${meant}; inside, ${point} is mounted ${access} (${type})`;
}

function within(path: string, { target }: Mount): boolean {
  return path === target || path.startsWith(`${target}/`);
}

function broken(reason: LayoutReason, detail: string, remedy: string): LayoutOutcome {
  return { kind: 'broken', reason, detail, remedy };
}
