/**
 * Facts about an image of docker or podman: whether it is there, has a shell, and uses glibc or musl. Found out by
 * running it.
 */
import { readFile } from 'node:fs/promises';
import { ask } from './client.ts';
import { EngineFailed } from './container.ts';
import type { OciOptions } from './oci.ts';
import { runtimeArguments, runtimeRemedy } from './runtime.ts';

export type Libc = 'glibc' | 'musl';

export interface ImageFacts {
  libc: Libc;
  /** without it an agent can work, but not commit */
  git: boolean;
}

/**
 * The mappings of the running shell show which libc it uses. Files of both may exist, as with Debian's `musl` package.
 */
const LOOK = `
libc=
while read -r line; do case $line in
  */ld-musl-*|*/libc.musl-*) libc=musl;;
  */libc.so.6|*/libc-2.*|*/ld-linux*) libc=\${libc:-glibc};;
esac; done < /proc/$$/maps
if [ -z "$libc" ]; then
  for file in /lib64/ld-linux-*.so.* /lib/ld-linux-*.so.*; do [ -e "$file" ] && libc=glibc; done
  for file in /lib/ld-musl-*.so.1; do [ -e "$file" ] && libc=musl; done
fi
git=no; command -v git >/dev/null 2>&1 && git=yes
shell=no; { command -v bash || command -v zsh; } >/dev/null 2>&1 && shell=yes
echo "looked \${libc:-none} $git $shell"`;

/** Throws EngineFailed where the image cannot serve. */
export async function inspectImage(oci: OciOptions, image: string): Promise<ImageFacts> {
  const client = [oci.program, ...oci.programArgs];
  const runtime = runtimeArguments(oci, 'none');
  const there = await ask([...client, 'image', 'inspect', '--format', '{{.Id}}', image], oci.env);
  if (there.code !== 0) {
    throw new EngineFailed(
      `The image ${image} is not on this machine, and this service pulls none.`,
      `Fetch it with "${oci.name} pull ${image}", or correct container.image.`,
    );
  }
  const key = [...client, oci.runtime, ...oci.runArgs, there.stdout.trim()].join('\0');
  const facts =
    known.get(key) ??
    (await lookInto(
      { ...oci, runArgs: [...runtime.after, ...oci.runArgs] },
      [...client, ...runtime.before],
      image,
    ));
  known.set(key, facts);
  return facts;
}

/**
 * Kept by the image's id, because every run asks, and one more container would cost it a fifth of a second.
 */
const known = new Map<string, ImageFacts>();

async function lookInto(oci: OciOptions, client: string[], image: string): Promise<ImageFacts> {
  const run = ['run', '--rm', '--pull', 'never', '--network', 'none', '--read-only', '--log-driver', 'none'];
  const entry = ['--entrypoint', '/bin/sh', image, '-c', LOOK];
  const answer = await ask([...client, ...run, ...oci.runArgs, ...entry], oci.env);
  const isShell = oci.runtime === null || answer.stderr.includes('/bin/sh');
  if ((answer.code === 126 || answer.code === 127) && isShell) {
    throw new EngineFailed(
      `The image ${image} has no shell: /bin/sh does not start in it (${answer.stderr.trim()}).`,
      `Choose an image that has one, as all of Debian, Ubuntu, Fedora and Alpine do.`,
    );
  }
  const [, libc, git, shell] = /^looked (\S+) (\S+) (\S+)$/m.exec(answer.stdout) ?? [];
  if (oci.runtime !== null && (answer.code !== 0 || libc === undefined)) {
    const said = answer.stderr.trim() || `exit code ${answer.code}`;
    throw new EngineFailed(
      `${oci.name} starts no container with the runtime ${oci.runtime}: ${said}.`,
      runtimeRemedy({ name: oci.name, runtime: oci.runtime }, said),
    );
  }
  if (answer.code !== 0 || libc === undefined) {
    throw new EngineFailed(
      `${oci.name} does not start a container of ${image}: ${answer.stderr.trim() || `exit code ${answer.code}`}.`,
      `Make "${oci.name} run --rm --network none ${image} true" work for the user of this service; container.program_args and container.run_args may help.`,
    );
  }
  if (libc !== 'glibc' && libc !== 'musl') {
    throw new EngineFailed(
      `The image ${image} has neither glibc nor musl, so the CLI cannot run in it.`,
      `Choose an image with one of them, as Debian or Alpine.`,
    );
  }
  if (shell === 'no') {
    // CLI 2.1.330 answers every shell call with "No suitable shell found" where there is only a plain sh.
    throw new EngineFailed(
      `The image ${image} has neither bash nor zsh, and the CLI runs commands with one of them only.`,
      'Install bash in the image ("apk add bash" on Alpine), or choose one that has it.',
    );
  }
  return { libc, git: git === 'yes' };
}

/**
 * Names the content that commands run in: by the engine's name of the image, or without one by the release of this
 * machine's system. An update of packages within a release is not seen.
 */
export async function systemOf(oci: OciOptions | null, image: string | null): Promise<string> {
  if (oci === null || image === null) {
    const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
    return JSON.stringify([process.arch, release]);
  }
  const client = [oci.program, ...oci.programArgs];
  const { code, stdout } = await ask([...client, 'image', 'inspect', '--format', '{{.Id}}', image], oci.env);
  return code === 0 ? stdout.trim() : image;
}
