/** Asks every rule once in a while, keeps what it finds, and acts where the operator lets it. */
import { isForgesAnswer } from '../errors.ts';
import type { Log } from '../log.ts';
import { RULES, type RuleName } from '../vocabulary.ts';
import { type ActDeps, actOn } from './acts.ts';
import { keepFindings } from './findings.ts';
import { RULE_BOOK } from './rules.ts';

export interface StuckDeps extends ActDeps {
  log: Log;
  modes: Readonly<Partial<Record<RuleName, 'off' | 'report' | 'act'>>>;
}

export async function askRules(deps: StuckDeps): Promise<void> {
  for (const rule of RULES) {
    const mode = deps.modes[rule] ?? 'report';
    try {
      await askRule(deps, rule, mode);
    } catch (error) {
      if (!isForgesAnswer(error)) throw error;
      deps.log.warn(`the rule ${rule} could not be asked on ${deps.forge.name}: ${error.message}`);
    }
  }
}

async function askRule(deps: StuckDeps, rule: RuleName, mode: 'off' | 'report' | 'act'): Promise<void> {
  const { database, forge, log, now } = deps;
  const found = mode === 'off' ? [] : await RULE_BOOK[rule](deps);
  await database.transaction(async (tx) => {
    await keepFindings(tx, { rule, forge: forge.name, found, now: now() });
  });
  if (mode !== 'act') return;
  for (const finding of found) {
    if (!(await actOn(deps, rule, finding))) continue;
    const item = `${finding.repository.fullName}#${finding.number}`;
    log.info(`rule ${rule} acted: ${finding.why}`, { forge: forge.name, item, agent: finding.agent });
  }
}
