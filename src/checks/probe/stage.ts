/** What a probe runs in: all that an agent's dispatch has, with a scratch repository in place of the forge's. */
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RehearsalModel } from '../../../rehearsal/model.ts';
import { createBareRepository, PocketGit } from '../../../rehearsal/pocket-forge-repositories.ts';
import type { DispatchRun, RunnerDeps } from '../../agent-runner/run.ts';
import type { AgentConfig, LoadedConfig } from '../../config/config.ts';
import type { ContainerEngine } from '../../container/container.ts';
import { type Place, placeOf, relayInside } from '../../container/place.ts';
import type { Database } from '../../database/database.ts';
import type { Gateway, OpenGateway } from '../../gateway/port.ts';
import type { Log } from '../../log.ts';
import { type CliFolders, cliFolders, createCliFolders } from '../../sessions/folders.ts';
import type { Checkout, Workdir } from '../../workdir/port.ts';
import { dropConversation } from './conversations.ts';

export interface ProbeDeps {
  config: LoadedConfig;
  engine: ContainerEngine;
  /** the checks' own, below the state folder */
  database: Database;
  workdir: Workdir;
  model: RehearsalModel;
  /** whose upstream is the rehearsal model */
  gateway: Gateway;
  cli: RunnerDeps['cli'];
  forwarder: RunnerDeps['forwarder'];
  /** the worker's PATH */
  path: string;
  instance: string;
  log: Log;
  now: () => number;
  /** cuts what runs; undefined: nobody will */
  signal: AbortSignal | undefined;
}

export interface Stage {
  agent: AgentConfig;
  conversationId: string;
  checkout: Checkout;
  folders: CliFolders;
  container: DispatchRun['container'];
  /** absolute path of the bare repository in the forge's place */
  scratch: string;
}

export const IDENTITY = { name: 'claude-hooks smoke', email: 'smoke@noreply.localhost' };

export const smokeFolder = (state: string) => join(state, 'smoke');

export async function setStage(deps: ProbeDeps, agent: AgentConfig, conversationId: string): Promise<Stage> {
  const { state } = deps.config;
  const scratch = await scratchRepository(state, agent.name);
  const checkout = await deps.workdir.prepare({
    conversation: conversationId,
    repository: { id: `smoke-${agent.name}`, fullName: `smoke/${agent.name}` },
    remote: { url: scratch, token: null },
    defaultBranch: 'main',
    at: { kind: 'branch', branch: branchOf({ agent, conversationId }), base: 'main' },
    identity: IDENTITY,
    relay: relayInside(deps.engine),
    configurationFromBase: true,
    sign: deps.config.git.signingKeyFile !== null,
  });
  // In the service's own `conversations`, because an operator may mount that folder, and the mount is part of the check.
  const folders = cliFolders(state, conversationId);
  createCliFolders(folders);
  return {
    agent,
    conversationId,
    checkout,
    folders,
    scratch,
    container: {
      settings: { ...agent.container, mounts: [...agent.container.mounts] },
      relay: checkout.relay,
      caches: await cacheMounts(state, agent),
      checkoutName: agent.name,
    },
  };
}

/** Each conversation has a branch of its own, so no check builds on what an earlier one left. */
export function branchOf({ agent, conversationId }: Pick<Stage, 'agent' | 'conversationId'>): string {
  return `${agent.branchPrefix}/smoke-${conversationId.slice(0, 8)}`;
}

/** The commit of a branch in the scratch repository. The branch is then deleted, so that branches do not pile up. */
export async function scratchHead(state: string, { scratch }: Stage, branch: string): Promise<string | null> {
  const git = await PocketGit.open(smokeFolder(state));
  const args = ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`];
  const found = await git.attempt({ folder: scratch, args });
  if (found.exitCode !== 0) return null;
  await git.run({ folder: scratch, args: ['update-ref', '-d', `refs/heads/${branch}`] });
  return found.stdout.trim();
}

/** Made once per agent: a bare repository with one commit, never on any forge. */
async function scratchRepository(state: string, agent: string): Promise<string> {
  const git = await PocketGit.open(smokeFolder(state));
  const folder = git.path(`smoke/${agent}`);
  const known = await git.attempt({
    folder: smokeFolder(state),
    args: ['-C', folder, 'rev-parse', '--verify', 'main'],
  });
  if (known.exitCode !== 0) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(dirname(folder), { recursive: true });
    await createBareRepository(git, {
      folder,
      branch: 'main',
      files: { 'README.md': 'A scratch repository of `claude-hooks smoke`. It may be deleted.\n' },
      identity: IDENTITY,
    });
  }
  return folder;
}

async function cacheMounts(state: string, agent: AgentConfig): Promise<Stage['container']['caches']> {
  const caches = agent.container.caches.map(({ name, target }) => ({
    source: join(state, 'caches', agent.name, name),
    target,
    access: 'write' as const,
  }));
  for (const { source } of caches) await mkdir(source, { recursive: true, mode: 0o700 });
  return caches;
}

/** The same place a dispatch of this stage gets. */
export async function placeOfStage(deps: ProbeDeps, stage: Stage, open: OpenGateway): Promise<Place> {
  const cli = await deps.cli(stage.container.settings.image);
  return placeOf(deps.engine, {
    ...stage.container,
    checkout: stage.checkout.path,
    folders: stage.folders,
    socket: open.socketPath,
    cli,
    forwarder: await deps.forwarder(cli),
    path: deps.path,
  });
}

/** Nothing of the conversation is left, neither files nor rows. */
export async function strikeStage(deps: ProbeDeps, conversationId: string): Promise<void> {
  await deps.workdir.remove(conversationId);
  const { config } = cliFolders(deps.config.state, conversationId);
  await rm(dirname(config), { recursive: true, force: true }).catch((error: NodeJS.ErrnoException) => {
    deps.log.warn(`a folder of the smoke check could not be removed: ${error.message}`);
  });
  await dropConversation(deps.database, conversationId);
}
