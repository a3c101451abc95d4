/**
 * A small forge in one process, for the demo, the smoke test and end-to-end tests: Forgejo's REST API, git over HTTP
 * and Forgejo's webhooks, as far as docs/pocket-forge.md says. What it offers is real: git repositories, HTTP,
 * signatures.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { serve } from '@hono/node-server';
import { ConfigError, ForgeRefused } from '../src/errors.ts';
import { findUser } from './pocket-forge-access.ts';
import { createApi } from './pocket-forge-api.ts';
import { identityOf, type PocketContext } from './pocket-forge-context.ts';
import { Credentials } from './pocket-forge-credentials.ts';
import { type GitServer, serveGit } from './pocket-forge-git.ts';
import { type HookDelivery, HookQueue } from './pocket-forge-hooks.ts';
import type { PocketKind } from './pocket-forge-kinds.ts';
import { serveLfs } from './pocket-forge-lfs.ts';
import { createBareRepository, PocketGit } from './pocket-forge-repositories.ts';
import type { PocketToken } from './pocket-forge-scopes.ts';
import {
  type CollaboratorPermission,
  nextId,
  now,
  openState,
  type PocketState,
  type StoredRepository,
} from './pocket-forge-state.ts';
import { actAs, type PocketUser } from './pocket-forge-user.ts';

interface PocketAccount {
  login: string;
  /** never written to the folder: give it again at the next start */
  token: string;
  /** site admin */
  admin?: boolean;
  fullName?: string;
  /** of the token, e.g. `write:issue`; left out, it may do what the account may */
  scopes?: readonly string[];
  /** full names of the only repositories the token is for (Forgejo) */
  repositories?: readonly string[];
}

export interface PocketForgeOptions {
  /** the kind of forge it behaves like; default forgejo */
  kind?: PocketKind;
  /** made when missing; holds the state file and the bare repositories */
  folder: string;
  /** 0 or left out: a free one */
  port?: number;
  /** a loopback address; default 127.0.0.1 */
  host?: string;
  users: PocketAccount[];
  /** for one whole webhook exchange, milliseconds; default 5000 as on a real forge */
  deliverTimeoutMs?: number;
}

interface NewRepository {
  /** login of a known account */
  owner: string;
  name: string;
  /** path → content of the first commit; content that begins with `#!` is executable */
  files: Record<string, string>;
  defaultBranch?: string;
  private?: boolean;
  collaborators?: { login: string; permission: CollaboratorPermission }[];
}

export interface PocketForge {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly folder: string;
  /** Throws ForgeMissing for an account that was not named at the start. */
  as(login: string): PocketUser;
  /** Throws ForgeRefused 409 when the name is taken. */
  createRepository(repository: NewRepository): Promise<{ id: number; fullName: string; cloneUrl: string }>;
  /** The account's old token is refused from now on, as after a rotation. Throws ForgeMissing for an unknown account. */
  replaceToken(login: string, token: string): void;
  /** every delivery of this process, oldest first */
  readonly deliveries: readonly HookDelivery[];
  /** Resolves when every queued delivery was attempted. */
  settled(): Promise<void>;
  /** what the forge knows; look, do not touch */
  readonly state: Readonly<PocketState>;
  /** Idempotent. A delivery on its way fails; those not attempted yet are sent after the next start. */
  close(): Promise<void>;
}

/** of accounts and repositories; both become folders */
const NAME = /^[\w-][\w.-]*$/;

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

/** Throws ConfigError for a host that is not loopback or for tokens that are empty or shared. */
export async function startPocketForge(o: PocketForgeOptions): Promise<PocketForge> {
  checkOptions(o);
  // Absolute, because git runs in folders of its own.
  const folder = resolve(o.folder);
  const { state, save } = openState(folder);
  addAccounts(state, o.users);
  save();
  const git = await PocketGit.open(folder);
  const kind = o.kind ?? 'forgejo';
  const hooks = new HookQueue({ kind, state, save, timeoutMs: o.deliverTimeoutMs ?? 5000 });
  const lock = createLock(save);
  // The address is known once the server listens, and the routes need it when they answer, not before.
  const context = { kind, url: '', state, git, hooks, change: lock.change };
  const credentials = new Credentials();
  for (const user of o.users) credentials.add(user.token, tokenOf(user));
  const app = createApi(context, credentials);
  serveLfs(app, context);
  const gitServer = serveGit(app, context);
  const server = await listen(app.fetch, o);
  context.url = urlOf(server, o.host ?? '127.0.0.1');
  hooks.start();
  let closed: Promise<void> | null = null;
  return {
    url: context.url,
    folder,
    state,
    deliveries: hooks.deliveries,
    as: (login) => actAs(context, login),
    replaceToken: (login, token) => credentials.replace(findUser(state, login).login, token),
    createRepository: (repository) => context.change(() => createRepository(context, repository)),
    settled: () => hooks.settled(),
    close: () => {
      closed ??= stop({ server, gitServer, hooks, idle: lock.idle });
      return closed;
    },
  };
}

function checkOptions(o: PocketForgeOptions): void {
  const problem = (path: string, text: string, remedy: string) =>
    new ConfigError([{ file: 'pocket forge', path, value: null, problem: text, remedy }]);
  if (o.host !== undefined && !LOOPBACK.includes(o.host)) {
    throw problem(
      'host',
      `${o.host} is not a loopback address`,
      'Use 127.0.0.1: this forge must not be reachable.',
    );
  }
  const odd = o.users.find((u) => !NAME.test(u.login));
  if (odd !== undefined) {
    throw problem('users', `${odd.login} is no login`, 'Use letters, digits, dot, dash, underscore.');
  }
  const tokens = o.users.map((u) => u.token);
  if (tokens.includes('') || new Set(tokens).size < tokens.length) {
    throw problem('users', 'a token is empty or used twice', 'Give every account its own token.');
  }
}

function tokenOf({ login, scopes, repositories }: PocketAccount): PocketToken {
  return { login, scopes: scopes ?? null, repositories: repositories ?? null };
}

function addAccounts(state: PocketState, accounts: PocketAccount[]): void {
  for (const { login, admin = false, fullName = '' } of accounts) {
    const known = state.users.find((u) => u.login.toLowerCase() === login.toLowerCase());
    if (known !== undefined) Object.assign(known, { admin, fullName });
    else state.users.push({ id: nextId(state, 'user'), login, admin, fullName, created: now() });
  }
}

/** One change at a time, in the order they were asked for; each ends with a saved state. */
function createLock(save: () => void) {
  let tail: Promise<unknown> = Promise.resolve();
  const change = <T>(work: () => Promise<T> | T): Promise<T> => {
    const run = tail.then(work).finally(save);
    tail = run.catch(() => undefined);
    return run;
  };
  return { change, idle: () => tail };
}

function listen(fetch: Parameters<typeof serve>[0]['fetch'], o: PocketForgeOptions): Promise<Server> {
  return new Promise((listening, reject) => {
    // The process is shared with the service or its tests: its global Request and Response stay as they are.
    const options = {
      fetch,
      port: o.port ?? 0,
      hostname: o.host ?? '127.0.0.1',
      overrideGlobalObjects: false,
    };
    const server = serve(options, () => listening(server)) as Server;
    server.once('error', reject);
  });
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function createRepository(context: PocketContext, o: NewRepository) {
  const { state, git } = context;
  const owner = findUser(state, o.owner);
  const taken = state.repositories.some(
    (r) => r.owner === owner.id && r.name.toLowerCase() === o.name.toLowerCase(),
  );
  if (taken) throw new ForgeRefused(`${o.owner}/${o.name} exists. Choose another name.`, 409);
  if (!NAME.test(o.name) || o.name.endsWith('.git')) {
    throw new ForgeRefused(
      `${o.name} is no repository name. Use letters, digits, dot, dash, underscore.`,
      422,
    );
  }
  const collaborators = (o.collaborators ?? []).map(({ login, permission }) => ({
    user: findUser(state, login).id,
    permission,
  }));
  const branch = o.defaultBranch ?? 'main';
  const fullName = `${owner.login}/${o.name}`;
  const folder = git.path(fullName);
  await createBareRepository(git, { folder, branch, files: o.files, identity: identityOf(owner) });
  const time = now();
  const repository: StoredRepository = {
    id: nextId(state, 'repository'),
    owner: owner.id,
    name: o.name,
    private: o.private ?? false,
    defaultBranch: branch,
    created: time,
    updated: time,
    lastNumber: 0,
    labels: [],
    hooks: [],
    collaborators,
  };
  state.repositories.push(repository);
  return { id: repository.id, fullName, cloneUrl: `${context.url}/${fullName}.git` };
}

interface Running {
  server: Server;
  gitServer: GitServer;
  hooks: HookQueue;
  idle(): Promise<unknown>;
}

async function stop(running: Running): Promise<void> {
  const { server, gitServer, hooks } = running;
  const closed = new Promise<void>((ended) => server.close(() => ended()));
  server.closeAllConnections();
  await closed;
  await gitServer.close();
  // A change that was under way still finishes and saves; after it nobody writes to the folder.
  await running.idle();
  await hooks.close();
}
