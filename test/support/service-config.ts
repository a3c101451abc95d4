/** Who is on the stage, and the claude-hooks.yaml that knows them. */
import type { PocketForgeOptions } from '../../rehearsal/pocket-forge.ts';
import type { CollaboratorPermission } from '../../rehearsal/pocket-forge-state.ts';
import { OTHER_CLI } from './tested-cli.ts';

export const OWNER = 'ada';
export const DEV = 'dev-bot';
export const REPOSITORY = 'ada/greeter';

const AGENTS = [DEV, 'review-bot', 'boss-bot'];
const LOGINS = [OWNER, 'bob', ...AGENTS];
/** has an account on the forge and no permission beyond what is public */
export const STRANGER = 'eve';
const SECRET = 'stage-webhook-secret';

/** As the README asks for them. */
const README_SCOPES = ['write:repository', 'write:issue', 'read:user'];

/** Whose server is played, and what the agents' accounts may do there beside writing. */
export interface StageForm {
  kind: 'forgejo' | 'gitea';
  /** `administrator`: one of them administers the repositories; both have exactly the scopes of the README */
  account: 'writer' | 'administrator';
}

/** The accounts of the forge. Without a form the tokens of agents may do all that their accounts may. */
export function accountsOf(form: StageForm | undefined): PocketForgeOptions['users'] {
  return [...LOGINS, STRANGER].map((login) => ({
    login,
    token: tokenOf(login),
    admin: login === OWNER,
    ...(form !== undefined && AGENTS.includes(login) ? { scopes: README_SCOPES } : {}),
  }));
}

export function collaboratorsOf(form: StageForm | undefined) {
  const isAdministrator = (login: string) => form?.account === 'administrator' && login === DEV;
  return LOGINS.slice(1).map((login) => {
    const permission: CollaboratorPermission = isAdministrator(login) ? 'admin' : 'write';
    return { login, permission };
  });
}

export interface StageOptions {
  form?: StageForm;
  /** YAML of the rehearsal model's script */
  model: string;
  /** replaces top-level keys of claude-hooks.yaml */
  config?: Record<string, unknown>;
  /** keys of the one forge in it, beside or instead of ours */
  forge?: Record<string, unknown>;
  /** the whole text of claude-hooks.yaml instead of ours, made when the addresses are known */
  configText?: (at: { forge: string; model: string }) => StageConfig;
  /** with the state and the forge of an earlier stage in it; left out, a new one without either */
  folder?: string;
  /** the forge is told of no address, and sends nothing */
  isHookless?: boolean;
  /** more files beside claude-hooks.yaml, by relative path */
  files?: Record<string, string>;
}

export interface StageConfig {
  text: string;
  env: Record<string, string>;
  /** name of the one forge in it */
  forge: string;
  webhookSecret: string;
  /** URL of the database in it; left out, it is the file in the state folder */
  database?: string;
}

export function tokenOf(login: string): string {
  return `${login}-stage-token`;
}

export function usualConfig(options: StageOptions, at: { forge: string; model: string }): StageConfig {
  return {
    text: configOf(options, at),
    env: {
      MODEL_KEY: 'sk-ant-stage-model-key',
      WEBHOOK_SECRET: SECRET,
      DEV_TOKEN: tokenOf(DEV),
      REVIEWER_TOKEN: tokenOf('review-bot'),
      BOSS_TOKEN: tokenOf('boss-bot'),
    },
    forge: 'home',
    webhookSecret: SECRET,
  };
}

/** JSON is YAML: nothing to escape. */
function configOf(options: StageOptions, at: { forge: string; model: string }): string {
  return JSON.stringify(
    {
      server: { host: '127.0.0.1', port: '${PORT}' },
      state: './state',
      model: { upstream: at.model, api_key: '${MODEL_KEY}' },
      container: { engine: 'process' },
      mailbox: { quiet_seconds: 0, max_wait_seconds: 5 },
      log: { format: 'pretty' },
      // Not `full`: on a slow machine a run takes longer than a minute, and its status comment would be one more.
      feedback: 'reaction',
      forges: {
        home: {
          kind: options.form?.kind ?? 'forgejo',
          url: at.forge,
          webhook_secret: '${WEBHOOK_SECRET}',
          repositories: [REPOSITORY],
          accounts: {
            dev: { login: DEV, token: '${DEV_TOKEN}' },
            reviewer: { login: 'review-bot', token: '${REVIEWER_TOKEN}' },
          },
          ...options.forge,
        },
      },
      ...options.config,
      ...(OTHER_CLI === null ? {} : { worker: { cli_path: OTHER_CLI, ...(options.config?.worker ?? {}) } }),
    },
    null,
    2,
  );
}
