import type { AgentConfig, LoadedConfig } from '../config/config.ts';

/** An agent without an account acts nowhere, and is not checked. */
export function actingAgents(config: LoadedConfig): AgentConfig[] {
  const forges = Object.values(config.forges);
  return [...config.agents.values()].filter((agent) =>
    forges.some((forge) => Object.hasOwn(forge.accounts, agent.name)),
  );
}
