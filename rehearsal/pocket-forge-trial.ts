/** For tests: a pocket forge with people and a repository, a webhook listener that keeps raw bytes, a git client. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../src/program.ts';
import { type PocketForge, type PocketForgeOptions, startPocketForge } from './pocket-forge.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of a hundred shapes and assert what they find
export type Json = any;

export const REPO = 'ada/widgets';
export const SECRET = 'correct horse';

/** ada owns, bo writes, cy only reads, root administers. A token is the login with `-token`. */
const USERS = [
  { login: 'ada', token: 'ada-token', fullName: 'Ada Lovelace' },
  { login: 'bo', token: 'bo-token' },
  { login: 'cy', token: 'cy-token' },
  { login: 'root', token: 'root-token', admin: true },
];

export interface Trial {
  forge: PocketForge;
  folder: string;
  /** a folder of its own for clones */
  desk: string;
  /** on the REST API, as an account or (null) anonymously */
  call(
    login: string | null,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; json: Json; headers: Headers; text: string }>;
  restart(): Promise<void>;
  end(): Promise<void>;
}

export async function startTrial(
  o: Partial<PocketForgeOptions> & { private?: boolean } = {},
): Promise<Trial> {
  const desk = await mkdtemp(join(tmpdir(), 'pocket-forge-'));
  const folder = join(desk, 'forge');
  const trial: Trial = {
    forge: await startPocketForge({ folder, users: USERS, ...o }),
    folder,
    desk,
    call: async (login, method, path, body) => {
      const headers: Record<string, string> = login === null ? {} : { authorization: `token ${login}-token` };
      const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const answer = await fetch(`${trial.forge.url}/api/v1${path}`, init);
      const text = await answer.text();
      const json = answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : null;
      return { status: answer.status, json, headers: answer.headers, text };
    },
    restart: async () => {
      await trial.forge.close();
      const port = Number(new URL(trial.forge.url).port);
      trial.forge = await startPocketForge({ folder, users: USERS, ...o, port });
    },
    end: async () => {
      await trial.forge.close();
      await rm(desk, { recursive: true, force: true });
    },
  };
  await trial.forge.createRepository({
    owner: 'ada',
    name: 'widgets',
    files: { 'README.md': '# Widgets\n', 'bin/test': '#!/bin/sh\ntrue\n' },
    private: o.private ?? false,
    collaborators: [{ login: 'bo', permission: 'write' }],
  });
  return trial;
}

interface Received {
  headers: IncomingHttpHeaders;
  /** exactly as on the wire */
  raw: Buffer;
  json: Json;
}

export interface Listener {
  url: string;
  received: Received[];
  /** `eventType action` (or just `eventType`) of each delivery, in order of arrival */
  names(): string[];
  end(): Promise<void>;
}

/** `answer` is the status to give, or null to read the request and never answer. */
export async function startListener(answer: number | null = 202): Promise<Listener> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks);
      received.push({ headers: request.headers, raw, json: JSON.parse(raw.toString('utf8')) });
      if (answer !== null) response.writeHead(answer).end('noted');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    names: () => received.map((r) => `${r.headers['x-forgejo-event-type']} ${r.json.action ?? ''}`.trim()),
    end: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A real git client with nothing of this machine's configuration. */
export async function git(folder: string, ...args: string[]): Promise<{ exitCode: number; out: string }> {
  const env = {
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    GIT_AUTHOR_NAME: 'Bo',
    GIT_AUTHOR_EMAIL: 'bo@noreply.localhost',
    GIT_COMMITTER_NAME: 'Bo',
    GIT_COMMITTER_EMAIL: 'bo@noreply.localhost',
  };
  const ran = await runProgram({
    program: 'git',
    args,
    cwd: folder,
    env,
    inherits: true,
    timeoutMs: 600_000,
  });
  return { exitCode: ran.exitCode ?? -1, out: `${ran.stdout}${ran.stderr}`.trimEnd() };
}

export function cloneUrl(forge: PocketForge, password: string | null): string {
  return forge.url
    .replace('://', password === null ? '://' : `://anybody:${password}@`)
    .concat(`/${REPO}.git`);
}

/** Commits one file on `branch` (made when missing) in the clone and pushes it; answers the new head. */
export async function commitAndPush(
  clone: string,
  o: { branch: string; file: string; content: string; message?: string },
): Promise<string> {
  const known = await git(clone, 'checkout', '-q', o.branch);
  if (known.exitCode !== 0) await git(clone, 'checkout', '-q', '-b', o.branch);
  await writeFile(join(clone, o.file), o.content);
  await git(clone, 'add', '-A');
  await git(clone, 'commit', '-q', '-m', o.message ?? `Write ${o.file}`);
  const pushed = await git(clone, 'push', '-q', 'origin', o.branch);
  if (pushed.exitCode !== 0) throw new Error(`push failed: ${pushed.out}`);
  return (await git(clone, 'rev-parse', 'HEAD')).out;
}

export async function cloneAs(trial: Trial, login: string): Promise<string> {
  const clone = await mkdtemp(join(trial.desk, 'clone-'));
  const { exitCode, out } = await git(clone, 'clone', '-q', cloneUrl(trial.forge, `${login}-token`), '.');
  if (exitCode !== 0) throw new Error(`clone failed: ${out}`);
  return clone;
}
