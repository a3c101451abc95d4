/** What an operator wants `init` to bring about. Everything is an option of the command, or was asked for. */
import type { NewLabel } from '../forges/setup.ts';

export interface Wish {
  /** absolute path of claude-hooks.yaml */
  file: string;
  /** the name of the forge in the configuration */
  forge: string;
  /** as in a browser */
  url: string;
  /** null: as the forge says */
  kind: string | null;
  /** `owner/name`, or `owner/*` for those that the owner has today */
  repositories: readonly string[];
  agents: readonly WantedAgent[];
  labels: readonly NewLabel[];
  hook: WantedHook;
  /** of mail addresses of new accounts: `<login>@<domain>` */
  mailDomain: string;
  /** path of the file with the model's key; null = the environment has it */
  modelKeyFile: string | null;
}

export interface WantedAgent {
  agent: string;
  login: string;
  /** the token of an account that is there already; null where there is none */
  token: string | null;
}

export type HookLevel = 'repository' | 'owner' | 'system' | 'none';

export interface WantedHook {
  level: HookLevel;
  /** where the forge reaches this service; null only with `none` */
  publicUrl: string | null;
}

/** Those that the shipped flows and options read. */
export const LABELS: readonly NewLabel[] = [
  { name: 'no-agent', description: 'No agent works here while this label is set.', colour: '6b7280' },
  { name: 'area:design', description: 'Design work: for the designer.', colour: 'a855f7' },
  {
    name: 'area:dashboard',
    description: 'Changes what people see: for the design review.',
    colour: '0ea5e9',
  },
];

export function mailOf(login: string, { mailDomain }: Pick<Wish, 'mailDomain'>): string {
  return `${login.toLowerCase()}@${mailDomain}`;
}

/** Where the forge's own git puts hidden addresses; a number is no domain. */
export function usualMailDomain(url: string): string {
  const { hostname } = new URL(url);
  return /[a-z]/i.test(hostname) && !hostname.includes(':') ? `noreply.${hostname}` : 'noreply.localhost';
}
