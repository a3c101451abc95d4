/** Images that are hard to come by, made of two files each and run for real. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { testFolder } from '../../test/support/contained.ts';
import { testEngines } from '../../test/support/engines.ts';
import { needs, PODMAN_ARGS } from '../../test/support/requirements.ts';
import { cliFor, installedCli } from './cli-build.ts';
import { inspectImage } from './image.ts';

const tools = needs('podman', 'static-shell', 'musl');
const BUSYBOX = '/bin/busybox';
const MUSL = `/lib/ld-musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`;

const [podman] = testEngines().filter(({ name }) => name === 'podman');

/** An image of these files; gone after the test. `from` may be a link, and is followed. */
function imageOf(files: Record<string, string>): string {
  const folder = testFolder();
  const root = join(folder, 'root');
  mkdirSync(root);
  writeFileSync(join(root, 'readme'), 'an image');
  for (const [to, from] of Object.entries(files))
    cpSync(realpathSync(from), join(root, to), { recursive: true });
  const name = `localhost/claude-hooks-test-${randomUUID()}:1`;
  execFileSync('tar', ['-C', root, '-cf', join(folder, 'image.tar'), '.']);
  execFileSync('podman', [...PODMAN_ARGS, 'import', '--quiet', join(folder, 'image.tar'), name], {
    stdio: 'pipe',
  });
  onTestFinished(() => {
    execFileSync('podman', [...PODMAN_ARGS, 'rmi', '-f', name], { stdio: 'pipe' });
  });
  return name;
}

describe.skipIf(!tools.ok)(tools.title('an image'), () => {
  const oci = podman!.oci!;
  const request = { oci, executable: null, muslCliPath: null };

  test('with glibc and git is known as such and gets the glibc build', async () => {
    expect(await inspectImage(oci, podman!.image!)).toEqual({ libc: 'glibc', git: true });
    expect(await cliFor({ ...request, image: podman!.image })).toBe(installedCli('glibc'));
  });

  test('with musl is known as such and gets the musl build', async () => {
    const image = imageOf({ 'bin/sh': BUSYBOX, 'bin/bash': BUSYBOX, [MUSL]: MUSL });
    expect(await inspectImage(oci, image)).toEqual({ libc: 'musl', git: false });
    expect(await cliFor({ ...request, image, muslCliPath: BUSYBOX })).toBe(BUSYBOX);
    await expect(cliFor({ ...request, image, muslCliPath: '/nowhere/cli' })).rejects.toThrow(
      /container\.musl_cli_path/,
    );
    if (installedCli('musl') === null) {
      await expect(cliFor({ ...request, image })).rejects.toThrow(
        /needs the musl build of the CLI, which is not installed\. Install @anthropic-ai\//,
      );
    }
  });

  test('with glibc and musl’s loader beside it is one with glibc', async () => {
    const libraries = execFileSync('ldd', ['/bin/sh'], { encoding: 'utf8' }).match(/\/\S+/g)!;
    const files = Object.fromEntries(libraries.map((path) => [path, path]));
    const image = imageOf({ ...files, 'bin/sh': '/bin/sh', 'bin/bash': BUSYBOX, [MUSL]: MUSL });
    expect(await inspectImage(oci, image)).toMatchObject({ libc: 'glibc' });
  });

  test('without a shell is refused with a sentence of its own', async () => {
    await expect(inspectImage(oci, imageOf({}))).rejects.toThrow(
      /has no shell: .*Choose an image that has one/s,
    );
  });

  test('with a plain shell only is refused: the CLI could run no command', async () => {
    const image = imageOf({ 'bin/sh': BUSYBOX, [MUSL]: MUSL });
    await expect(inspectImage(oci, image)).rejects.toThrow(/neither bash nor zsh.*apk add bash/);
  });

  test('without a C library is refused with a sentence of its own', async () => {
    const image = imageOf({ 'bin/sh': BUSYBOX });
    await expect(inspectImage(oci, image)).rejects.toThrow(/neither glibc nor musl.*Debian or Alpine/s);
  });

  test('that is not on this machine is refused with the way to get it', async () => {
    await expect(inspectImage(oci, 'localhost/no/such:1')).rejects.toThrow(/Fetch it with "podman pull/);
  });
});
