/** Whether somebody is the agent itself, as the forge knows its account. */
import type { AgentConfig } from '../config/config.ts';
import { isAccountOf } from '../trust/sender.ts';
import type { Trust } from '../trust.ts';
import type { ForgeUser } from '../vocabulary.ts';
import type { DispatchForge } from './dispatch.ts';

export function isSelf(
  { forge: { config }, agent }: { forge: Pick<DispatchForge, 'config'>; agent: Pick<AgentConfig, 'name'> },
  trust: Pick<Trust, 'ids'>,
): (user: ForgeUser) => boolean {
  return (user) => isAccountOf({ forge: config, ids: trust.ids(config), agent: agent.name }, user);
}
