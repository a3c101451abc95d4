/** Which build of the pinned CLI runs in a container: glibc or musl, to fit the image. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EngineFailed } from './container.ts';
import { inspectImage, type Libc } from './image.ts';
import type { OciOptions } from './oci.ts';

export interface CliRequest {
  /** the client of an engine that runs images; null: the CLI sees this machine's own /usr */
  oci: OciOptions | null;
  image: string | null;
  /** configured paths that replace the installed builds */
  executable: string | null;
  muslCliPath: string | null;
}

/** Absolute path, on this machine, of the binary to mount and to run. Throws EngineFailed with the remedy. */
export async function cliFor(request: CliRequest): Promise<string> {
  const { oci, image } = request;
  const libc = oci === null || image === null ? ownLibc() : (await inspectImage(oci, image)).libc;
  const where = oci === null ? 'This machine' : `The image ${image}`;
  const configured = libc === 'musl' ? request.muslCliPath : request.executable;
  const option = libc === 'musl' ? 'container.musl_cli_path' : 'the path of the CLI';
  if (configured !== null) {
    if (existsSync(configured)) return configured;
    throw new EngineFailed(`There is no CLI at ${configured}.`, `Correct ${option} in the configuration.`);
  }
  const installed = installedCli(libc);
  if (installed !== null) return installed;
  throw new EngineFailed(
    `${where} needs the ${libc} build of the CLI, which is not installed.`,
    `${remedy(libc)}`,
  );
}

function remedy(libc: Libc): string {
  const name = packageOf(libc);
  return libc === 'musl'
    ? `Install ${name} in the version of the SDK ("npm install --force --no-save ${name}@<version>"), or set container.musl_cli_path to that binary, or choose an image with glibc.`
    : `Install the service again with optional packages, which bring ${name}.`;
}

/** Null where npm has not installed it: npm installs only the build for this machine. */
export function installedCli(libc: Libc): string | null {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${packageOf(libc)}/package.json`));
    const path = join(folder, 'claude');
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

function packageOf(libc: Libc): string {
  const suffix = libc === 'musl' ? '-musl' : '';
  return `@anthropic-ai/claude-agent-sdk-linux-${process.arch}${suffix}`;
}

let own: Libc | null = null;

/** Asked once and kept: the report takes as long as a git command, and every dispatch would wait for it. */
function ownLibc(): Libc {
  own ??= findOwnLibc();
  return own;
}

function findOwnLibc(): Libc {
  const report = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return report.header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}
