/** Shapes a check of one agent. */
import type { AgentConfig } from '../../config/config.ts';
import type { SmokeCheck, SmokeCheckName, SmokeState } from '../smoke-report.ts';

export function check(
  agent: Pick<AgentConfig, 'name'>,
  name: SmokeCheckName,
  state: SmokeState,
  detail: string,
  remedy: string,
): SmokeCheck {
  return { agent: agent.name, check: name, state, detail, remedy };
}
