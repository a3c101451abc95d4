/** Images made of the test image: podman needs neither a network nor a build for them. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PODMAN_ARGS } from '../support/requirements.ts';
import type { Stage } from './stage.ts';

const podman = (...args: string[]) =>
  execFileSync('podman', [...PODMAN_ARGS, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();

export interface Difference {
  /** instructions of an image, as `ENV NAME=value` */
  changes?: string[];
  /** path in the image, and text */
  files?: Record<string, string>;
}

/** The same difference is the same image: podman's store makes it once. */
export function imageWith(stage: Stage, difference: Difference): string {
  const base = stage.test.image!;
  const tag = createHash('sha256')
    .update(JSON.stringify([base, difference]))
    .digest('hex')
    .slice(0, 16);
  const name = `localhost/claude-hooks-test-other:${tag}`;
  if (podman('images', '-q', name) !== '') return name;
  const container = podman('create', base, '/bin/sh');
  try {
    const root = mkdtempSync(join(stage.c.folder, 'image-'));
    for (const [path, text] of Object.entries(difference.files ?? {})) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    podman('cp', `${root}/.`, `${container}:/`);
    const changes = (difference.changes ?? []).flatMap((change) => ['--change', change]);
    podman('commit', '--quiet', ...changes, container, name);
  } finally {
    podman('rm', '-f', container);
  }
  return name;
}

/** As if somebody else ran `podman kill`. Throws when no container of this conversation runs. */
export function killContainers(stage: Stage, dispatch: string): void {
  const ids = podman('ps', '-q', '--filter', `label=claude-hooks.dispatch=${dispatch}`).split('\n');
  if (ids[0] === '') throw new Error(`no container of ${dispatch} runs for ${stage.test.name}`);
  podman('kill', ...ids);
}
