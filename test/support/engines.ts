/**
 * The engines on this machine, ready for tests; and engines that are the process engine with one thing wrong, to
 * reproduce what broken layouts do.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bubblewrapEngine } from '../../src/container/bubblewrap.ts';
import { findCgroups } from '../../src/container/cgroup.ts';
import { findProgram, overlayTools } from '../../src/container/choose.ts';
import type { ContainerEngine } from '../../src/container/container.ts';
import { type OciOptions, ociEngine } from '../../src/container/oci.ts';
import { processEngine } from '../../src/container/process.ts';
import type { EngineName } from '../../src/vocabulary.ts';
import { type Need, needs, OTHER_RUNTIME, PODMAN_ARGS } from './requirements.ts';
import { testImage } from './test-image.ts';

/**
 * docker is podman by another name here, with the same command lines: what podman has shown of a container itself, it need
 * not show again. What our side does with the client is tested with both in `conformance`, `cli` and `test/containers`.
 */
export function isShownByPodman({ name }: Pick<TestEngine, 'name'>): boolean {
  return name === 'docker' && process.env.FAULTS !== 'all';
}

export interface TestEngine {
  name: EngineName;
  /** what it takes; where it is not ok, `engine` must not be used */
  need: Need;
  engine: ContainerEngine;
  /** for docker and podman: a Debian-like image with a shell and git */
  image: string | null;
  /** the client, for docker and podman */
  oci: OciOptions | null;
}

/** Limits of the container's own that are higher than this machine may set; they belong here and in no default. */
export const RUN_ARGS = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1000:1000'];

/** All of them, the isolating ones first. docker is its command line, understood by podman. */
export function testEngines(): TestEngine[] {
  const path = process.env.PATH!;
  const flock = findProgram('flock', path);
  const bwrap = findProgram('bwrap', path) ?? '/nonexistent/bwrap';
  return [
    ociTestEngine('podman', findProgram('podman', path) ?? '/nonexistent/podman', flock),
    ociTestEngine('docker', join(dockerFolder(), 'docker'), flock),
    {
      name: 'bubblewrap',
      need: needs('bubblewrap', 'flock', 'proc'),
      engine: bubblewrapEngine({
        program: bwrap,
        flock,
        cgroups: findCgroups(),
        overlay: overlayTools(path),
        script: findProgram('script', path),
      }),
      image: null,
      oci: null,
    },
    {
      name: 'process',
      need: needs('flock', 'proc'),
      engine: processEngine({ flock, script: findProgram('script', path) }),
      image: null,
      oci: null,
    },
  ];
}

function ociTestEngine(name: 'docker' | 'podman', program: string, flock: string | null): TestEngine {
  const need = needs('podman', 'flock', 'proc');
  const env = { PATH: process.env.PATH!, HOME: '/nonexistent' };
  const options = {
    name,
    program,
    programArgs: PODMAN_ARGS,
    runArgs: RUN_ARGS,
    runtime: OTHER_RUNTIME,
    flock,
    script: findProgram('script', env.PATH),
    env,
  };
  const oci: OciOptions = { ...options, rootless: null };
  const image = need.ok ? knownImage() : null;
  return { name, need, engine: ociEngine(oci), image, oci };
}

let image: string | null = null;

/** Both clients are podman, and have the same store. */
function knownImage(): string {
  image ??= testImage(['podman', ...PODMAN_ARGS]);
  return image;
}

let dockers: string | null = null;

/** A folder for PATH with a program `docker` that is podman, as Debian's podman-docker makes one. */
export function dockerFolder(): string {
  if (dockers !== null) return dockers;
  // One for all test processes: those of Vitest end without a word, and would each leave their own.
  const folder = join(tmpdir(), `claude-hooks-docker-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const program = join(folder, 'docker');
  const fresh = `${program}.${process.pid}`;
  writeFileSync(fresh, '#!/bin/sh\nexec podman "$@"\n', { mode: 0o755 });
  renameSync(fresh, program);
  dockers = folder;
  return folder;
}

/** The CLI sees the folder read-only in a mount namespace of its own; the worker sees it writable: the seed's layout. */
export function readOnlyView(folder: () => string): ContainerEngine {
  const engine = processEngine({ flock: findProgram('flock', process.env.PATH!) });
  const script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"';
  return {
    ...engine,
    start: async (spec) => {
      const container = await engine.start(spec);
      return {
        stop: (graceMs) => container.stop(graceMs),
        spawn: (s) =>
          container.spawn({
            ...s,
            command: 'unshare',
            args: ['-m', 'sh', '-c', script, folder(), s.command, ...s.args],
          }),
      };
    },
  };
}
