/** What is to be done, what is there already, and what is in the way. Pure. */

import type { ForgeHook } from '../forges/forge.ts';
import { findKit } from '../forges/registry.ts';
import type { HookPlace, NewLabel } from '../forges/setup.ts';
import { sameLogin } from '../logins.ts';
import type { RepositoryRef } from '../vocabulary.ts';
import type { ConfigurationChange } from './configuration.ts';
import type { Made, RecordedPlace } from './record.ts';
import type { Refusal } from './refusal.ts';
import type { Found, FoundAgent, FoundRepository } from './survey.ts';
import { mailOf, type Wish } from './wish.ts';

export type Step =
  /** `isNew` false: an account of ours whose token is lost; it gets a new password and a new token */
  | { do: 'account'; agent: string; login: string; mail: string; isNew: boolean }
  | { do: 'keep-token'; agent: string; login: string; token: string }
  | { do: 'member'; repository: RepositoryRef; login: string }
  | { do: 'label'; repository: RepositoryRef; label: NewLabel }
  | { do: 'hook'; place: HookPlace; url: string; replaces: number | null }
  | { do: 'configuration'; change: Extract<ConfigurationChange, { kind: 'change' }> };

export interface Plan {
  steps: Step[];
  /** sentences without their full stop */
  already: string[];
  refusals: Refusal[];
}

export function planInit(
  wish: Wish,
  found: Found,
  known: { made: Made | null; configuration: ConfigurationChange },
): Plan {
  const plan: Plan = { steps: [], already: [], refusals: [] };
  for (const agent of found.agents) planAgent(plan, { wish, found, agent, made: known.made });
  for (const one of found.repositories) planRepository(plan, wish, one);
  for (const at of found.hooks) planHook(plan, { wish, found, at, made: known.made });
  planConfiguration(plan, wish, known.configuration);
  plan.refusals.push(...missingRights(plan, found));
  return plan;
}

interface AboutAgent {
  wish: Wish;
  found: Found;
  agent: FoundAgent;
  made: Made | null;
}

function planAgent(plan: Plan, { wish, found, agent, made }: AboutAgent): void {
  const { login } = agent;
  const mail = mailOf(login, wish);
  const isPlanned = plan.steps.some((step) => step.do === 'account' && sameLogin(step.login, login));
  if (agent.account === null) {
    plan.steps.push({ do: 'account', agent: agent.agent, login, mail, isNew: !isPlanned });
    return;
  }
  if (agent.state.kind === 'good') {
    if (agent.isGiven && agent.token !== null) {
      plan.steps.push({ do: 'keep-token', agent: agent.agent, login, token: agent.token });
    } else plan.already.push(`account ${login} with its token`);
    return;
  }
  if (agent.token !== null && agent.state.kind === 'bad') {
    const { tokens } = findKit(found.kind)!;
    plan.refusals.push({
      code: 'account-token',
      problem: agent.state.problem,
      remedy: `Make a token for ${login} with ${tokens.scopes}, and give its file with --token-file ${agent.agent}=<file>.`,
    });
    return;
  }
  // guard: init: an account that others made is not taken
  if (isOurs(made, login, agent.account.mail)) {
    plan.steps.push({ do: 'account', agent: agent.agent, login, mail, isNew: false });
    return;
  }
  plan.refusals.push(notOurs(agent, found, mail));
}

function isOurs(made: Made | null, login: string, mail: string): boolean {
  return (
    made?.accounts.some((one) => sameLogin(one.login, login) && (mail === '' || sameLogin(one.mail, mail))) ??
    false
  );
}

function notOurs({ agent, login, account, state }: FoundAgent, found: Found, mail: string): Refusal {
  const { tokens } = findKit(found.kind)!;
  const shown = account?.mail || 'one that the forge hides';
  const lost = state.kind === 'bad' ? `, and ${state.problem}` : '';
  return {
    code: 'account-exists',
    problem: `the account ${login} exists, with the mail address ${shown}; init did not make it (it would have been ${mail})${lost}`,
    remedy: `If it is meant for this agent, make a token for it with ${tokens.scopes}, and give its file with --token-file ${agent}=<file>. Else choose another login with --agents ${agent}=<login>.`,
  };
}

function planRepository(plan: Plan, wish: Wish, one: FoundRepository): void {
  const { repository, permissions, labels } = one;
  for (const login of new Set(wish.agents.map((agent) => agent.login))) {
    const own = permissions.find((p) => sameLogin(p.login, login))?.permission ?? 'none';
    if (own === 'none' || own === 'read') plan.steps.push({ do: 'member', repository, login });
    else plan.already.push(`${login} may write in ${repository.fullName}`);
  }
  for (const label of wish.labels) {
    if (labels.includes(label.name)) plan.already.push(`label ${label.name} in ${repository.fullName}`);
    else plan.steps.push({ do: 'label', repository, label });
  }
}

interface AboutHook {
  wish: Wish;
  found: Found;
  at: { place: HookPlace; hooks: ForgeHook[] };
  made: Made | null;
}

function planHook(plan: Plan, { wish, found, at, made }: AboutHook): void {
  const url = hookUrl(wish);
  const where = placeName(at.place);
  const there = at.hooks.filter((hook) => hook.url === url);
  if (there.length === 0) {
    plan.steps.push({ do: 'hook', place: at.place, url, replaces: null });
    return;
  }
  const hook = there[0]!;
  const flaws = flawsOf(hook, found);
  if (flaws === null && found.hasHookSecret) {
    plan.already.push(`hook ${hook.id} of ${where}`);
    return;
  }
  const isOurs = made?.hooks.some((one) => one.id === hook.id && isSamePlace(one.place, at.place)) ?? false;
  if (isOurs) {
    plan.steps.push({ do: 'hook', place: at.place, url, replaces: hook.id });
    return;
  }
  plan.refusals.push(
    flaws === null
      ? {
          code: 'hook-secret-unknown',
          problem: `${where} has a hook (${hook.id}) to ${url} that init did not make, and no forge tells the secret of a hook`,
          remedy: `Delete that hook, or put its secret into secrets/${wish.forge}-webhook beside the configuration.`,
        }
      : {
          code: 'hook-differs',
          problem: `${where} has a hook (${hook.id}) to ${url} that init did not make, and ${flaws}`,
          remedy: 'Delete that hook and run init again, or mend it on the page of the forge.',
        },
  );
}

/** null: as init makes them */
function flawsOf(hook: ForgeHook, found: Found): string | null {
  if (!hook.active) return 'it is switched off';
  if (hook.contentType !== 'json') return `it sends ${hook.contentType} instead of JSON`;
  const sent = new Set(hook.events);
  const { hooks } = findKit(found.kind)!;
  const lacking = (['issue.assigned', 'comment.created', 'review.submitted', 'pull.merged'] as const).flatMap(
    (event) => hooks.lacking(event, sent),
  );
  return lacking.length === 0 ? null : `it does not send ${[...new Set(lacking)].join(', ')}`;
}

function planConfiguration(plan: Plan, wish: Wish, change: ConfigurationChange): void {
  switch (change.kind) {
    case 'same':
      plan.already.push(`forge ${wish.forge} in ${wish.file}`);
      return;
    case 'change':
      plan.steps.push({ do: 'configuration', change });
      return;
    case 'unreadable':
      plan.refusals.push({
        code: 'configuration-invalid',
        problem: `${wish.file} cannot be read: ${change.problem}`,
        remedy: 'Mend it; `claude-hooks config check` names every problem.',
      });
      return;
    case 'differs': {
      const lines = change.differences.map(({ path, is, wanted }) => `${path} is ${is}, wanted ${wanted}`);
      plan.refusals.push({
        code: 'configuration-differs',
        problem: `${wish.file} says something else: ${lines.join('; ')}`,
        remedy:
          'Change these lines by hand, call init with what the file says, or give the forge another name with --name.',
      });
    }
  }
}

function missingRights(plan: Plan, found: Found): Refusal[] {
  const { administrator, kind } = found;
  const refusals: Refusal[] = [];
  const words = findKit(kind)!.tokens.administrator;
  const makesAccounts = plan.steps.some(
    (step) => step.do === 'account' || (step.do === 'hook' && step.place.level !== 'repository'),
  );
  // guard: init: no account without an administrator
  if (makesAccounts && !administrator.isSiteAdmin) {
    refusals.push({
      code: 'no-administrator',
      problem: `${administrator.login} is no administrator of the forge, so it cannot make accounts or hooks for all of an owner`,
      remedy: `Give the token of a site administrator (${words}). Without one: make the accounts yourself, give their tokens with --token-file <agent>=<file>, and use --hook repository.`,
    });
  }
  for (const { repository, mayAdminister } of found.repositories) {
    if (mayAdminister || administrator.isSiteAdmin) continue;
    refusals.push({
      code: 'not-repository-administrator',
      problem: `${administrator.login} does not administer ${repository.fullName}`,
      remedy: 'Give the token of an administrator of that repository, or of the forge.',
    });
  }
  return refusals;
}

function hookUrl(wish: Pick<Wish, 'hook' | 'forge'>): string {
  return `${(wish.hook.publicUrl ?? '').replace(/\/+$/, '')}/webhooks/${wish.forge}`;
}

export function placeName(place: HookPlace | RecordedPlace): string {
  switch (place.level) {
    case 'repository':
      return typeof place.repository === 'string' ? place.repository : place.repository.fullName;
    case 'owner':
      return place.owner;
    case 'system':
      return 'the whole forge';
  }
}

export function isSamePlace(recorded: RecordedPlace, place: HookPlace): boolean {
  return recorded.level === place.level && sameLogin(placeName(recorded), placeName(place));
}

/** What a step will do, for people: a clause that begins with a verb. */
export function describeStep(step: Step, paths: { token(agent: string): string; webhook: string }): string {
  switch (step.do) {
    case 'account':
      return step.isNew
        ? `make account ${step.login} (${step.mail}) and its token, kept in ${paths.token(step.agent)}`
        : `make a new token for ${step.login}, kept in ${paths.token(step.agent)}`;
    case 'keep-token':
      return `keep the token of ${step.login} in ${paths.token(step.agent)}`;
    case 'member':
      return `let ${step.login} write in ${step.repository.fullName}`;
    case 'label':
      return `make label ${step.label.name} in ${step.repository.fullName}`;
    case 'hook':
      return `make${step.replaces === null ? '' : ` hook ${step.replaces} anew: `} a hook of ${placeName(step.place)} to ${step.url}, its random secret kept in ${paths.webhook}`;
    case 'configuration':
      return step.change.how === 'written' ? 'write the configuration' : 'add to the configuration';
  }
}
