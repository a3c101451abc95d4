/**
 * Turns validated options into the frozen shape that everybody else reads: absolute paths, resolved secrets, camel
 * case.
 */
import { join, resolve } from 'node:path';
import { budgetSettings } from './budget-settings.ts';
import type { AgentConfig, Flow, ForgeConfig, LoadedConfig, NetworkSettings, Skill } from './config.ts';
import { bytesOf } from './container-settings.ts';
import { mcpSettings, secretsOfMcp } from './mcp-settings.ts';
import { secretsOfProxies } from './network-settings.ts';
import type { Options } from './options.ts';
import { packageSettings, secretsOfRegistries } from './package-settings.ts';
import { type Preparation, passwordIn } from './prepare.ts';
import { listedRepositories, secretsOfHooks } from './webhook-secrets.ts';

export interface Read {
  agents: ReadonlyMap<string, AgentConfig>;
  skills: ReadonlyMap<string, Skill>;
  flows: readonly Flow[];
  network: NetworkSettings;
}

export function assemble(found: Options, read: Read, { file, folder, warnings }: Preparation): LoadedConfig {
  const { server, model, worker, mailbox, sessions } = found;
  const state = resolve(folder, found.state);
  const config: LoadedConfig = {
    file,
    server: {
      host: server.host,
      port: server.port,
      maxBodyBytes: server.max_body_bytes,
      publicUrl: server.public_url === undefined ? null : address(server.public_url),
    },
    state,
    database: { url: databaseUrl(found.database.url, state, folder) },
    model: {
      upstream: address(model.upstream),
      credential: credentialOf(model),
      default: model.default,
      small: model.small ?? null,
      retries: model.retries,
      idleSeconds: model.idle_seconds,
    },
    container: {
      engine: found.container.engine,
      runtime: found.container.runtime ?? null,
      programArgs: found.container.program_args,
      runArgs: found.container.run_args,
      muslCliPath:
        found.container.musl_cli_path === undefined ? null : resolve(folder, found.container.musl_cli_path),
      layers: {
        unusedDays: found.container.layers.unused_days,
        maxBytes: bytesOf(found.container.layers.max_bytes),
      },
    },
    worker: {
      concurrency: worker.concurrency,
      drainSeconds: worker.drain_seconds,
      lateMessagesSeconds: worker.late_messages_seconds,
      backgroundSeconds: worker.background_seconds,
      leaseSeconds: worker.lease_seconds,
      runTimeoutMinutes: worker.run_timeout_minutes,
      cliPath: worker.cli_path === undefined ? null : resolve(folder, worker.cli_path),
    },
    budgets: budgetSettings(found.budgets),
    court: {
      agentRuns: found.court.runs_by_agents,
      robotRuns: found.court.runs_by_robots,
      runsPerHour: found.court.runs_per_hour,
      withoutProgress: found.court.runs_without_progress,
      robots: found.court.robots,
    },
    team: { merge: found.team.merge, reviewRounds: found.team.review_rounds },
    mailbox: {
      quietSeconds: mailbox.quiet_seconds,
      maxWaitSeconds: mailbox.max_wait_seconds,
      steering: mailbox.steering,
      timers: {
        most: mailbox.timers_most,
        shortestSeconds: mailbox.timers_shortest_seconds,
        longestDays: mailbox.timers_longest_days,
      },
    },
    sessions: {
      archive: sessions.archive,
      flushMilliseconds: sessions.flush_milliseconds,
      maxFailedResumes: sessions.max_failed_resumes,
    },
    git: {
      maxPushBytes: found.git.max_push_bytes,
      maxLfsBytes: found.git.max_lfs_bytes,
      protectedFiles: found.git.protected_files,
      unprotectedFiles: found.git.unprotected_files,
      signingKeyFile:
        found.git.signing_key_file === undefined ? null : resolve(folder, found.git.signing_key_file),
    },
    packages: packageSettings(found.packages),
    mcpServers: mcpSettings(found.mcp_servers),
    smoke: { everyMinutes: found.smoke.every_minutes },
    reconciler: { overlapSeconds: found.reconciler.overlap_seconds, rules: found.reconciler.rules },
    metrics: found.metrics.port === undefined ? null : { host: found.metrics.host, port: found.metrics.port },
    log: found.log,
    feedback: found.feedback,
    disclosure: found.disclosure.trim(),
    forges: Object.fromEntries(
      Object.entries(found.forges).map(([name, forge]) => [name, forgeConfig(name, forge)]),
    ),
    ...read,
    warnings,
    // guard: network: passwords of proxies
    secrets: [
      ...new Set([
        ...secretsOf(found),
        ...secretsOfProxies(read.network),
        ...secretsOfRegistries(found.packages),
        ...secretsOfMcp(found.mcp_servers),
      ]),
    ],
  };
  return frozen(config);
}

function forgeConfig(name: string, forge: Options['forges'][string]): ForgeConfig {
  return {
    name,
    kind: forge.kind,
    url: address(forge.url),
    cloneUrl: address(forge.clone_url ?? forge.url),
    webhookSecrets: [forge.webhook_secret ?? []].flat(),
    repositories: listedRepositories(forge),
    trustedSenders: forge.trusted_senders ?? null,
    requiredPermission: forge.required_permission,
    allowedBots: forge.allowed_bots,
    forkPulls: forge.fork_pulls,
    lfs: forge.lfs,
    closingKeywords: forge.closing_keywords,
    intake: forge.intake,
    lookSeconds: forge.look_seconds ?? null,
    feedback: forge.feedback ?? null,
    optOutLabels: forge.opt_out_labels,
    accounts: forge.accounts,
  };
}

/** The option table makes sure that exactly one of the two is set. */
function credentialOf(model: Options['model']): LoadedConfig['model']['credential'] {
  return model.auth_token === undefined
    ? { kind: 'api-key', value: model.api_key! }
    : { kind: 'bearer', value: model.auth_token };
}

function databaseUrl(url: string | undefined, state: string, folder: string): string {
  if (url === undefined) return `sqlite:${join(state, 'claude-hooks.db')}`;
  return url.startsWith('sqlite:') ? `sqlite:${resolve(folder, url.slice('sqlite:'.length))}` : url;
}

function address(url: string): string {
  return url.replace(/\/+$/, '');
}

function secretsOf(found: Options): string[] {
  const password = found.database.url === undefined ? null : passwordIn(found.database.url);
  const forges = Object.values(found.forges);
  const secrets = [
    credentialOf(found.model).value,
    ...(password === null ? [] : [password, decoded(password)]),
    ...forges.flatMap(secretsOfHooks),
    ...forges.flatMap((forge) => Object.values(forge.accounts).map((account) => account.token)),
  ];
  return [...new Set(secrets)];
}

function decoded(password: string): string {
  try {
    return decodeURIComponent(password);
  } catch {
    return password;
  }
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  const members = value instanceof Map ? [...value.values()] : Object.values(value);
  for (const member of members) frozen(member);
  return Object.freeze(value);
}
