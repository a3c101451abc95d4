/** Which models the agents run on, said at the start. */
import { actingAgents } from '../checks/acting-agents.ts';
import type { AgentConfig, LoadedConfig } from '../config/config.ts';
import { type ModelWords, modelWords } from '../gateway/model-words.ts';
import { LIST_PRICES } from '../gateway/prices.ts';
import type { Log } from '../log.ts';

export function wordsOn(agent: AgentConfig, config: LoadedConfig): ModelWords {
  const { name, model, effort, caps } = agent;
  return modelWords(
    { name, model, effort: effort ?? null, small: config.model.small, usd: caps.usd },
    LIST_PRICES,
  );
}

export function sayModels(config: LoadedConfig, log: Log): void {
  // Those without an account run nowhere.
  for (const agent of actingAgents(config)) {
    const { says, problems } = wordsOn(agent, config);
    log.info(says);
    for (const { problem, remedy } of problems) log.warn(`${agent.name}: ${problem}. ${remedy}`);
  }
}
