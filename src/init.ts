/**
 * An installation from nothing, for `claude-hooks init`: what is there is looked at, what is to be done is planned and can be
 * shown, and then it is carried out. The administrator's token is used for these calls and kept nowhere.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { Forge } from './forges/forge.ts';
import { findKit, SET_UP_KINDS } from './forges/registry.ts';
import type { ForgeSetup, SetupNeed } from './forges/setup.ts';
import { carryOut } from './init/carry-out.ts';
import { checkConfiguration } from './init/check-configuration.ts';
import { type ConfigurationChange, changeConfiguration, differenceOf } from './init/configuration.ts';
import { describeStep, type Plan, planInit } from './init/plan.ts';
import { secretPaths } from './init/private-files.ts';
import { InitRecord } from './init/record.ts';
import { InitRefused } from './init/refusal.ts';
import { planRemoval, type Removal, remove } from './init/remove.ts';
import { type Found, survey } from './init/survey.ts';
import type { Wish } from './init/wish.ts';
import { networkOf } from './network.ts';

export interface InitContext {
  env: Readonly<Record<string, string | undefined>>;
  administratorToken: string;
}

export interface Prepared {
  plan: Plan;
  found: Found;
  /** what each step will do, in order */
  says: string[];
  /** `-` and `+` lines of the configuration; empty where it stays */
  difference: string[];
  /** of the configuration as it will be */
  warnings: readonly string[];
  /** does the steps; `done` is told each as it is done */
  carryOut(done: (says: string) => void): Promise<void>;
}

/** Changes nothing. Throws InitRefused where there is no use in asking further. */
export async function prepareInit(wish: Wish, context: InitContext): Promise<Prepared> {
  const text = existsSync(wish.file) ? readFileSync(wish.file, 'utf8') : null;
  const fetchOf = throughNetwork(wish, { text, context });
  const access = accessTo(
    { url: wish.url, name: wish.forge, kind: wish.kind ?? SET_UP_KINDS[0]! },
    context,
    fetchOf,
  );
  const found = await survey(wish, access);
  // The family speaks one language; which of the two it is counts for hooks.
  const { setup } = accessTo({ url: wish.url, name: wish.forge, kind: found.kind }, context, fetchOf);
  const configuration = changeConfiguration(text, wish, { kind: found.kind, env: context.env });
  const record = InitRecord.open(wish.file);
  const plan = planInit(wish, found, { made: record.of(wish.forge), configuration });
  plan.refusals.push(...(await lackingScopes(plan, { setup, found })));
  const checked = checkWhole(wish, { text, configuration, context });
  const paths = secretPaths(wish.forge);
  return {
    plan,
    found,
    says: plan.steps.map((step) => describeStep(step, paths)),
    difference: configuration.kind === 'change' ? differenceOf(text, configuration.text) : [],
    warnings: checked,
    carryOut: (done) =>
      carryOut(plan.steps, {
        wish,
        kind: found.kind,
        setup,
        record,
        done: (step) => done(describeStep(step, paths)),
      }),
  };
}

/** null: init made nothing for a forge of this name */
export function prepareRemoval(
  { file, forge }: { file: string; forge: string },
  context: InitContext,
): { removal: Removal; url: string; carryOut(): Promise<void> } | null {
  const record = InitRecord.open(file);
  const made = record.of(forge);
  if (made === null) return null;
  const { url, kind } = made;
  const text = existsSync(file) ? readFileSync(file, 'utf8') : null;
  const checked = text === null ? null : checkConfiguration(text, { file, forge, env: context.env });
  // What was made is taken away also where the configuration was broken since.
  const fetchOf = checked?.kind === 'right' ? networkOf(checked.config).fetch : fetch;
  const { setup } = accessTo({ url, name: forge, kind }, context, fetchOf);
  return {
    url,
    removal: planRemoval(made, { file, forge }),
    carryOut: () => remove(forge, { file, setup, record }),
  };
}

function accessTo(
  { url, name, kind }: { url: string; name: string; kind: string },
  { administratorToken }: InitContext,
  fetchOf: typeof fetch,
): { setup: ForgeSetup; client: (token: string) => Forge } {
  const kit = findKit(kind);
  if (kit?.setup == null) {
    throw new InitRefused({
      code: 'not-offered',
      problem: `init cannot set up a forge of the kind ${kind}`,
      remedy: 'Connect it by hand, as the README says.',
    });
  }
  const setup = kit.setup({ name, url, token: administratorToken, fetch: fetchOf });
  return { setup, client: (token) => kit.client({ name, url, token, fetch: fetchOf }) };
}

interface Whole {
  text: string | null;
  context: InitContext;
}

/** As the configuration that will be says: proxy, authorities. */
function throughNetwork(wish: Wish, { text, context }: Whole): typeof fetch {
  const kind = wish.kind ?? SET_UP_KINDS[0]!;
  const change = changeConfiguration(text, wish, { kind, env: context.env });
  const whole = change.kind === 'change' ? change.text : text;
  return whole === null ? fetch : networkFor(whole, { file: wish.file, forge: wish.forge, env: context.env });
}

/** Throws InitRefused where it is wrong: nothing is done for a configuration that will not be accepted. */
function networkFor(text: string, at: Parameters<typeof checkConfiguration>[1]): typeof fetch {
  const checked = checkConfiguration(text, at);
  if (checked.kind === 'right') return networkOf(checked.config).fetch;
  const [first] = checked.problems;
  const more = checked.problems.length - 1;
  const others = more > 0 ? ` (and ${more} more)` : '';
  throw new InitRefused({
    code: 'configuration-invalid',
    problem: `the configuration would not be accepted: ${first?.path}: ${first?.problem}${others}`,
    remedy: first?.remedy ?? 'Run `claude-hooks config check`.',
  });
}

/** With the kind as the forge tells it. */
function checkWhole(
  wish: Wish,
  { text, configuration, context }: Whole & { configuration: ConfigurationChange },
): readonly string[] {
  const whole = configuration.kind === 'change' ? configuration.text : text;
  if (whole === null) return [];
  const checked = checkConfiguration(whole, { file: wish.file, forge: wish.forge, env: context.env });
  return checked.kind === 'right' ? checked.warnings : [];
}

async function lackingScopes(
  plan: Plan,
  { setup, found }: { setup: ForgeSetup; found: Found },
): Promise<Plan['refusals']> {
  // Who may not do it at all is told that, and a 403 for that reason is no missing scope.
  if (plan.refusals.length > 0) return [];
  const needs = plan.steps.flatMap((step): SetupNeed[] => {
    switch (step.do) {
      case 'account':
        return [{ need: 'accounts' }];
      case 'member':
        return [{ need: 'members', repository: step.repository }];
      case 'label':
        return [{ need: 'labels', repository: step.repository }];
      case 'hook':
        return [{ need: 'hooks', place: step.place }];
      default:
        return [];
    }
  });
  const lacking = await setup.lackingScopes(needs);
  if (lacking.length === 0) return [];
  return [
    {
      code: 'admin-token-scope',
      problem: `the administrator's token lacks the scope ${lacking.join(', ')}`,
      remedy: `Make one with ${findKit(found.kind)!.tokens.administrator}; scopes of a token cannot be changed.`,
    },
  ];
}
