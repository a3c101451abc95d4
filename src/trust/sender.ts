/**
 * Whether somebody may wake agents, or be believed in a prompt: the rules alone; the forge is not asked here. Pure.
 */
import type { ForgeConfig } from '../config/config.ts';
import { kitOf } from '../forges/registry.ts';
import { hasLogin, sameLogin } from '../logins.ts';
import { type EventName, type ForgeUser, PERMISSIONS, type Permission } from '../vocabulary.ts';

export interface Question {
  forge: ForgeConfig;
  repository: { id: string; fullName: string };
  user: ForgeUser;
  /** what the user did; null = the question is about a text they wrote */
  event: EventName | null;
}

export interface Judgement {
  allowed: boolean;
  /** the forge's answer; null = it did not have to be asked */
  permission: Permission | 'unknown' | 'another' | null;
  /** a clause for people; a refusal ends with the remedy */
  reason: string;
}

/** Ids of our accounts on one forge, by agent; an agent is absent while its account was not asked. */
export type AccountIds = ReadonlyMap<string, number>;

export interface Account {
  forge: ForgeConfig;
  ids: AccountIds;
  agent: string;
}

/** Where the id is known, it decides: somebody who takes over a login that we gave up is a stranger. */
export function isAccountOf({ forge, ids, agent }: Account, user: ForgeUser): boolean {
  const id = ids.get(agent);
  // guard: trust: accounts by id
  if (id !== undefined) return id === user.id;
  const account = forge.accounts[agent];
  return account !== undefined && sameLogin(account.login, user.login);
}

export function isOurAccount(forge: ForgeConfig, ids: AccountIds, user: ForgeUser): boolean {
  return agentOf(forge, ids, user) !== null;
}

/** The agent whose account this is; the first one where agents share it. */
export function agentOf(forge: ForgeConfig, ids: AccountIds, user: ForgeUser): string | null {
  return Object.keys(forge.accounts).find((agent) => isAccountOf({ forge, ids, agent }, user)) ?? null;
}

/** The judgement that needs no answer of the forge; null when one is needed. */
export function judgeUnasked(question: Question, ids: AccountIds): Judgement | null {
  const { forge, user, event } = question;
  const agent = agentOf(forge, ids, user);
  // A delivery may pair our id with any name, and our name with any id. Only the pair of one account of ours counts as
  // ours; for any other pair the forge is asked as about anybody.
  // guard: world trust: a name without an id is no pass
  if (agent !== null && ids.has(agent) && sameLogin(forge.accounts[agent]!.login, user.login))
    return allow(`${user.login} is the account of our agent ${agent}`);
  if (hasLogin(forge.allowedBots, user.login)) {
    return allow(`${user.login} is listed in forges.${forge.name}.allowed_bots`);
  }
  const account = kitOf(forge.kind).accountOf(user);
  if (account !== 'person') return judgeNobody(question, account);
  if (event !== null && forge.trustedSenders !== null && !hasLogin(forge.trustedSenders, user.login)) {
    return refuse(`${user.login} is not listed in forges.${forge.name}.trusted_senders`);
  }
  if (forge.requiredPermission === 'none') {
    return allow(`forges.${forge.name}.required_permission is none`);
  }
  return null;
}

/**
 * Nobody can ask for the permission of deleted people and of the forge's own robots. What a robot says about a CI run
 * is the forge's own word; everything else it does was caused by some workflow.
 */
function judgeNobody({ forge, user, event }: Question, account: 'robot' | 'deleted'): Judgement {
  if (account === 'deleted') {
    return refuse(
      `${user.login} is a deleted account, which has no permission any more. Let somebody who has permission repeat it.`,
    );
  }
  if (event?.startsWith('ci.') === true) return allow(`${user.login} is the forge's own robot`);
  return refuse(
    `${user.login} is the forge's own robot. List it in forges.${forge.name}.allowed_bots if it may wake agents.`,
  );
}

/** `permission` is the forge's answer. */
export function judgeAnswer(question: Question, permission: Permission | 'unknown' | 'another'): Judgement {
  const { forge, user, repository } = question;
  const required = forge.requiredPermission;
  const here = `in ${repository.fullName}`;
  if (permission === 'another') {
    const reason =
      `the account ${user.login} on ${forge.name} is not the one with the id ${user.id}, so the delivery is wrong ` +
      'about who sent it. After a rename of the account, let its owner repeat what they did';
    return { allowed: false, permission, reason };
  }
  if (permission === 'unknown') {
    const isListed = forge.trustedSenders !== null && hasLogin(forge.trustedSenders, user.login);
    const reason = isListed
      ? `${user.login} is listed in forges.${forge.name}.trusted_senders, and the forge does not tell what they may do ${here}`
      : `the forge does not tell what ${user.login} may do ${here}, and waking an agent takes ${required} permission. ` +
        `Make one of the agents' accounts an administrator of the repository, so that it can be asked, give its ` +
        `token the scope ${kitOf(forge.kind).tokens.organization} where the repository belongs to an organization, or list ${user.login} ` +
        `in forges.${forge.name}.trusted_senders, which then counts as permission`;
    // guard: trust: no answer is no permission
    return { allowed: isListed, permission, reason };
  }
  const allowed = PERMISSIONS.indexOf(permission) >= PERMISSIONS.indexOf(required);
  const has = permission === 'none' ? 'no permission' : `${permission} permission`;
  return {
    allowed,
    permission,
    reason: allowed
      ? `${user.login} has ${has} ${here}, and ${required} is required`
      : `${user.login} has ${has} ${here}, and waking an agent takes ${required}. Give them ${required} permission ` +
        `there, or lower forges.${forge.name}.required_permission; then replay the delivery`,
  };
}

/** A pull request from a fork is a stranger's code. Null when it may run. */
export function forkRefusal(
  forge: ForgeConfig,
  pull: { fork: boolean; headRepository: string | null } | null,
): string | null {
  if (pull === null || !pull.fork || forge.forkPulls) return null;
  const from = pull.headRepository === null ? 'a fork' : `the fork ${pull.headRepository}`;
  return (
    `the pull request comes from ${from}, and code from forks is not run. ` +
    `Set forges.${forge.name}.fork_pulls to true if it may, then replay the delivery`
  );
}

function allow(reason: string): Judgement {
  return { allowed: true, permission: null, reason };
}

function refuse(reason: string): Judgement {
  return { allowed: false, permission: null, reason };
}
