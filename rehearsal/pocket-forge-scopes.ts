/** What a token may do, whatever its account may: scopes, and on Forgejo the repositories it was made for. */
import { ForgeMissing, ForgeRefused } from '../src/errors.ts';

export interface PocketToken {
  login: string;
  /** as on the page for tokens, e.g. `write:issue`; null may do what the account may */
  scopes: readonly string[] | null;
  /** full names; null for all */
  repositories: readonly string[] | null;
  /** who asks gave name and password instead of a token */
  byPassword?: true;
}

type Group = 'admin' | 'user' | 'organization' | 'notification' | 'issue' | 'repository';

/** The first that fits. What fits none needs no scope. */
const GROUPS: readonly [RegExp, Group][] = [
  [/^\/admin(\/|$)/, 'admin'],
  [/^\/users?(\/|$)/, 'user'],
  [/^\/orgs(\/|$)/, 'organization'],
  [/^\/notifications(\/|$)/, 'notification'],
  [/^\/repos\/issues\/search$/, 'issue'],
  [/^\/repos\/[^/]+\/[^/]+\/(issues|labels|milestones)(\/|$)/, 'issue'],
  [/^\/(repos|repositories)(\/|$)/, 'repository'],
];

/** A token for named repositories has no scope of these, and Forgejo refuses them even to the owner's. */
const NOT_FOR_NAMED = [
  /^\/users?(\/|$)/,
  /^\/orgs(\/|$)/,
  /^\/repos\/[^/]+\/[^/]+\/(hooks|collaborators\/[^/]+\/permission)(\/|$)/,
];

/** `path` is below /api/v1. Throws ForgeRefused 403, and ForgeMissing for a repository the token was not made for. */
export function requireScope(token: PocketToken | null, method: string, path: string): void {
  if (token === null) return;
  const group = GROUPS.find(([form]) => form.test(path))?.[1] ?? null;
  if (group !== null) requireGroup(token, group, method === 'GET' || method === 'HEAD');
  if (token.repositories === null) return;
  if (NOT_FOR_NAMED.some((form) => form.test(path))) {
    throw new ForgeRefused('A token for named repositories may not ask this. Use one for all of them.', 403);
  }
  const name = /^\/repos\/([^/]+\/[^/]+)(?:\/|$)/.exec(path)?.[1];
  if (name !== undefined) requireNamed(token, decodeURIComponent(name));
}

export function requireGitScope(token: PocketToken | null, name: string, isPush: boolean): void {
  if (token === null) return;
  requireGroup(token, 'repository', !isPush);
  if (token.repositories !== null) requireNamed(token, name);
}

function requireGroup({ scopes }: PocketToken, group: Group, isRead: boolean): void {
  const enough = [...(isRead ? [`read:${group}`] : []), `write:${group}`, 'all'];
  if (scopes === null || enough.some((scope) => scopes.includes(scope))) return;
  throw new ForgeRefused(
    `token does not have at least one of required scope(s): [${enough[0]}]. Make one that has it.`,
    403,
  );
}

function requireNamed({ repositories }: PocketToken, name: string): void {
  if (repositories?.some((one) => one.toLowerCase() === name.toLowerCase())) return;
  throw new ForgeMissing(`The token was not made for ${name}. Use one that was.`);
}
