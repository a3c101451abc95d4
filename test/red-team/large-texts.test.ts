/**
 * Any text up to 25 MB in any place of a signed delivery holds up the event loop of the service for at most 20 ms at a
 * time, and `/healthz` answers meanwhile. Measured on the process that serves; what this machine itself holds up is
 * measured beside it on a process that works in short steps.
 */
import type { ChildProcess } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { changed, type Json } from '../fixtures/bodies.ts';
import { patience } from '../support/patience.ts';
import { needs } from '../support/requirements.ts';
import { Stage } from '../support/service.ts';
import { REPOSITORY } from '../support/service-config.ts';
import type { ServiceProcess } from '../support/service-process.ts';
import { longestDelay, steadyProcess, watchedEnv } from '../support/watched-process.ts';

/** A failure is run again with LARGE_TEXTS_SEED set to the number in the test's name, a longer search with _RUNS. */
const SEED = Number(process.env.LARGE_TEXTS_SEED ?? 20_260_801);
const RUNS = Number(process.env.LARGE_TEXTS_RUNS ?? 10);

const BOUND_MS = 20;
const MAX_BODY = 26_214_400;
/** A real hold-up comes every time. One that another process of this machine causes does not. */
const TRIES = 8;

/** One of each kind that a forge sends: fine event name and fixture. */
const KINDS: [string, string][] = [
  ['issues', 'forgejo/built-issue-opened'],
  ['issue_assign', 'forgejo/built-issue-assigned'],
  ['issue_label', 'forgejo/built-issue-label-updated'],
  ['issue_comment', 'forgejo/built-pull-comment-created'],
  ['issue_comment', 'forgejo/built-pull-comment-edited'],
  ['pull_request', 'forgejo/HookPullRequestReopened'],
  ['pull_request_sync', 'forgejo/HookPullRequestUpdated'],
  ['pull_request_review_approved', 'forgejo/built-review-approved'],
  ['action_run_failure', 'forgejo/built-action-run-failure'],
  ['push', 'forgejo/HookPushBranch'],
];

const FILLERS = ['a', '@bo ', '<!-- ', '\n\n', '\\"', '🍐', '[x](y) '];
const SIZES = [60_000, 200_000, 3_000_000, 25_000_000];

interface Large {
  kind: [string, string];
  /** chooses one of all places with a text */
  place: number;
  filler: string;
  size: number;
}

const anyLarge: fc.Arbitrary<Large> = fc.record({
  kind: fc.constantFrom(...KINDS),
  place: fc.nat(),
  filler: fc.constantFrom(...FILLERS),
  size: fc.constantFrom(...SIZES),
});

function placesOf(body: Json): [Json, string][] {
  const places: [Json, string][] = [];
  const visit = (node: Json): void => {
    for (const [key, value] of Object.entries(node)) {
      if (typeof value === 'string') places.push([node, key]);
      else if (typeof value === 'object' && value !== null) visit(value);
    }
  };
  visit(body);
  return places;
}

function bodyOf({ kind: [, fixture], place, filler, size }: Large, repositoryId: number): Buffer {
  const body = changed(fixture, {});
  for (const repository of [body.repository, body.run?.repository]) {
    if (repository) Object.assign(repository, { id: repositoryId, full_name: REPOSITORY });
  }
  const places = placesOf(body);
  const [object, key] = places[place % places.length]!;
  // Characters take up to six bytes in JSON; the body as a whole is what is limited.
  const unit = JSON.stringify(filler).length - 2 + (filler === '🍐' ? 2 : 0);
  object[key] = filler.repeat(Math.floor(size / unit));
  return Buffer.from(JSON.stringify(body));
}

const tools = needs('cli', 'git', 'flock', 'proc');

describe.skipIf(!tools.ok)(tools.title('large texts'), () => {
  let stage: Stage;
  let service: ServiceProcess;
  let steady: ChildProcess;
  let secret = '';
  const files = { service: '', steady: '' };

  beforeAll(async () => {
    const restore = inMemory();
    stage = await Stage.open({
      model: '',
      config: {
        // Nothing runs here: what arrives is decided and waits.
        mailbox: { quiet_seconds: 86_400, max_wait_seconds: 86_400 },
      },
      forge: { required_permission: 'none' },
    });
    restore();
    // Not beside the configuration, whose folder the service watches.
    const figures = join(stage.folder, 'figures');
    mkdirSync(figures);
    files.service = join(figures, 'service');
    files.steady = join(figures, 'steady');
    Object.assign(stage.extraEnv, watchedEnv(files.service));
    secret = stage.webhookSecret;
    service = await stage.spawn();
    steady = steadyProcess(files.steady);
  });

  afterAll(async () => {
    steady?.kill('SIGKILL');
    await stage?.close();
  });

  /** How long the service worked at a time while it took and decided this; or waited, beyond what the machine holds up. */
  async function heldUp(large: Large): Promise<{ ms: number; health: number }> {
    const body = bodyOf(large, stage.forge.state.repositories[0]!.id);
    expect(body.length).toBeLessThanOrEqual(MAX_BODY);
    const id = randomUUID();
    await Promise.all([longestDelay(service.child, files.service), longestDelay(steady, files.steady)]);
    const health = watchHealth(stage.url);
    const answer = await fetch(`${stage.url}/webhooks/home`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-forgejo-delivery': id,
        'x-forgejo-event': large.kind[0],
        'x-forgejo-event-type': large.kind[0],
        'x-forgejo-signature': createHmac('sha256', secret).update(body).digest('hex'),
      },
      body: new Uint8Array(body),
    });
    expect(answer.status).toBe(202);
    await stage.until('it is decided', async () => {
      const row = await stage.rows
        .selectFrom('deliveries')
        .select(['state', 'reason', 'attempts'])
        .where('forge_delivery_id', '=', id)
        .executeTakeFirstOrThrow();
      expect(row.attempts, row.reason ?? '').toBe(0);
      return row.state !== 'received';
    });
    const answered = await health.stop();
    const [held, noise] = await Promise.all([
      longestDelay(service.child, files.service),
      longestDelay(steady, files.steady),
    ]);
    const ms = Math.max(held.worked, held.held - noise.held);
    return { ms, health: answered };
  }

  test(`hold up the event loop for at most ${BOUND_MS} ms at a time (seed ${SEED})`, {
    timeout: patience(900_000),
  }, async () => {
    await fc.assert(
      fc.asyncProperty(anyLarge, async (large) => {
        const seen: number[] = [];
        for (let n = 0; n < TRIES; n++) {
          const { ms, health } = await heldUp(large);
          expect(health).toBeGreaterThan(0);
          seen.push(Math.round(ms));
          if (ms <= BOUND_MS) return;
        }
        throw new Error(`${JSON.stringify(large)} held the event loop up for ${seen.join(', ')} ms`);
      }),
      { seed: SEED, numRuns: RUNS, endOnFailure: true },
    );
  });
});

const ROOM_BYTES = 4_000_000_000;

/**
 * Puts the stage on a file system in memory, where there is one with room: how long a disk takes for 64 KiB is the
 * disk's, and those who share it. Answers how to undo it.
 */
function inMemory(): () => void {
  const before = process.env.TMPDIR;
  const found = existsSync('/dev/shm') ? statfsSync('/dev/shm') : null;
  if (found !== null && found.bavail * found.bsize > ROOM_BYTES) process.env.TMPDIR = '/dev/shm';
  return () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  };
}

/** Asks again and again; counts the answers, each of which is `ok`. */
function watchHealth(url: string): { stop(): Promise<number> } {
  let stopped = false;
  let answers = 0;
  const loop = (async () => {
    while (!stopped) {
      const answer = await fetch(`${url}/healthz`);
      expect(await answer.text()).toBe('ok\n');
      answers++;
      await sleep(20);
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await loop;
      return answers;
    },
  };
}
