/** Whether somebody is the agent itself, as the forge knows its account. */
import type { AgentConfig, ForgeConfig } from '../config/config.ts';
import { isAccountOf } from '../trust/sender.ts';
import type { Trust } from '../trust.ts';
import type { ForgeUser } from '../vocabulary.ts';

export function isSelf(
  { forgeConfig, agent }: { forgeConfig: ForgeConfig; agent: Pick<AgentConfig, 'name'> },
  trust: Pick<Trust, 'ids'>,
): (user: ForgeUser) => boolean {
  return (user) => isAccountOf({ forge: forgeConfig, ids: trust.ids(forgeConfig), agent: agent.name }, user);
}
