/**
 * A pocket forge that plays what people did when the recordings were made, and both sides as the product reads them:
 * through its own schemas, with what must differ made equal.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import type { z } from 'zod';
import { type PocketForge, startPocketForge } from '../../rehearsal/pocket-forge.ts';
import {
  actionRunPayload,
  commentPayload,
  issuePayload,
  pullPayload,
  pullRequest,
  pushPayload,
  statusPayload,
  workflowRunPayload,
} from '../../src/forges/gitea/payloads.ts';
import type { Json } from '../fixtures/bodies.ts';
import { type RecordedKind, recorded } from '../fixtures/recorded.ts';

/*
 * What may differ in every delivery and answer, and why (`equalised` makes it equal, and nothing else):
 * - ids, numbers of items, runs and jobs: each server counts for itself
 * - commit ids: commits are made anew; what belongs together is asserted on its own
 * - times other than an unset one, and how long a job took: the day of the recording
 * - host of addresses, and the names of the repositories: each server has its own
 */
const SCHEMAS: readonly [RegExp, z.ZodType][] = [
  [/^(issues|issue_assign|issue_label)$/, issuePayload],
  [/^(issue_comment|pull_request_comment)$/, commentPayload],
  [/^pull_request/, pullPayload],
  [/^push$/, pushPayload],
  [/^action_run_/, actionRunPayload],
  [/^workflow_run$/, workflowRunPayload],
  [/^status$/, statusPayload],
];

/** What the product reads of a delivery, and the names it goes by. Of a kind that it ignores, the names alone. */
function asRead(delivery: { event: string; eventType: string; body: Json }): Json {
  const { event, eventType, body } = delivery;
  const schema = SCHEMAS.find(([form]) => form.test(eventType))?.[1];
  const names = { event, eventType, action: body.action ?? null };
  return schema === undefined ? names : { ...names, body: equalised(schema.parse(body) as Json) };
}

function recordedAsRead(kind: RecordedKind, name: string): Json {
  const { headers, body } = recorded(kind, name);
  const header = `x-${kind}-event`;
  return asRead({ event: headers[header], eventType: headers[`${header}-type`], body });
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;
const SHA = /^[0-9a-f]{40}$/;
const COUNTED = ['id', 'number', 'repo_id'];

/** The value with everything of the list above replaced by what it is. */
export function equalised(value: unknown, key = ''): Json {
  if (Array.isArray(value)) return value.map((one) => equalised(one));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    return Object.fromEntries(entries.map(([name, inner]) => [name, equalised(inner, name)]));
  }
  return plain(value, key) as Json;
}

function plain(value: unknown, key: string): unknown {
  if (typeof value === 'number' && value > 0 && COUNTED.includes(key)) return '<number>';
  if (typeof value !== 'string') return value;
  if (key === 'event_payload') return triggeringPull(value);
  if (TIME.test(value)) return '<time>';
  if (SHA.test(value)) return /^0+$/.test(value) ? value : '<commit>';
  return value
    .replace(/https?:\/\/(?!ci\.)[^/\s]+/g, '<host>')
    .replace(/owner\/[a-z-]+/g, 'owner/<name>')
    .replace(/ \d+s$/, ' <seconds>')
    .replace(/(issues|pulls?|runs|jobs|comment-|#)([/-]?)\d+/g, '$1$2<number>');
}

/** Of the delivery that began a run the product reads the pull request. */
function triggeringPull(text: string): Json | null {
  const { pull_request: pull } = JSON.parse(text) as Json;
  return pull === undefined ? null : equalised(pullRequest.parse(pull));
}

const PEOPLE = ['owner', 'ada', 'bob', 'dev-bot', 'review-bot', 'stranger'];

export interface Play {
  forge: PocketForge;
  repository: string;
  /**
   * Asserts that `work` is told as these recordings and nothing else, in this order. `~type action` stands for a
   * delivery of which no recording was given.
   */
  tells(names: readonly string[], work: () => Promise<unknown>): Promise<void>;
  /** the recordings that were compared so far */
  readonly played: Set<string>;
  /** Commits one file on a branch (made from `from` when missing) and pushes; answers the head. */
  push(login: string, o: PushedFile): Promise<string>;
  /** The API as an account, answered as JSON. */
  get(login: string, path: string): Promise<{ status: number; json: Json }>;
  call(login: string, method: string, path: string, body?: unknown): Promise<{ status: number; json: Json }>;
  end(): Promise<void>;
}

interface PushedFile {
  branch: string;
  from?: string;
  message: string;
  /** throws the branch's own commits away first */
  force?: boolean;
}

/** owner owns, everybody but stranger writes. */
export async function startPlay(kind: RecordedKind, name: string): Promise<Play> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  const users = PEOPLE.map((login) => ({ login, token: `${login}-token`, admin: login === 'owner' }));
  const forge = await startPocketForge({ kind, folder: join(folder, 'forge'), users });
  const collaborators = PEOPLE.slice(1, -1).map((login) => ({ login, permission: 'write' as const }));
  await forge.createRepository({ owner: 'owner', name, files: { 'README.md': '# Play\n' }, collaborators });
  const repository = `owner/${name}`;
  // Nobody listens at port 9: the deliveries are read where the forge keeps them.
  const events = ['issues', 'pull_request', 'push', 'create', 'delete', 'status', 'workflow_run'];
  const runs = ['action_run_success', 'action_run_failure', 'action_run_recover', 'pull_request_review'];
  const url = 'http://127.0.0.1:9/';
  await forge.as('owner').addHook(repository, { url, secret: 's', events: [...events, ...runs] });
  const call = async (login: string, method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${forge.url}/api/v1/repos/${repository}${path}`, {
      method,
      headers: { authorization: `token ${login}-token` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, json: text === '' ? null : JSON.parse(text) };
  };
  const played = new Set<string>();
  return {
    forge,
    repository,
    played,
    async tells(names, work) {
      const start = forge.deliveries.length;
      await work();
      const told = forge.deliveries.slice(start).map(({ event, eventType, body }, index) => {
        const read = asRead({ event, eventType, body: JSON.parse(body) });
        return names[index]?.startsWith('~') ? `~${eventType} ${read.action ?? ''}`.trim() : read;
      });
      expect(told).toEqual(names.map((one) => (one.startsWith('~') ? one : recordedAsRead(kind, one))));
      for (const one of names) if (!one.startsWith('~')) played.add(one);
    },
    push: (login, file) => pushFile({ forge, repository, folder }, login, file),
    get: (login, path) => call(login, 'GET', path),
    call,
    async end() {
      await forge.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function pushFile(
  { forge, repository, folder }: { forge: PocketForge; repository: string; folder: string },
  login: string,
  { branch, from = 'main', message, force = false }: PushedFile,
): Promise<string> {
  const clone = mkdtempSync(join(folder, 'clone-'));
  const env = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', HOME: folder };
  const git = async (...args: string[]) => {
    const who = ['-c', `user.name=${login}`, '-c', `user.email=${login}@example.org`];
    return (await execa('git', [...who, ...args], { cwd: clone, env })).stdout;
  };
  await git(
    'clone',
    '-q',
    `${forge.url.replace('://', `://${login}:${login}-token@`)}/${repository}.git`,
    '.',
  );
  const known = (await git('branch', '-r', '--list', `origin/${branch}`)) !== '' && !force;
  await git('checkout', '-q', '-B', branch, `origin/${known ? branch : from}`);
  await git('commit', '-q', '--allow-empty', '-m', message);
  await git('push', '-q', ...(force ? ['--force'] : []), 'origin', branch);
  return await git('rev-parse', 'HEAD');
}
