/**
 * Shipped agents that a small team does without. Where no forge has an account for one, neither it nor its flows are there:
 * they would only make every explanation longer.
 */
import type { AgentConfig, Flow } from './config.ts';

const OPTIONAL: readonly string[] = ['boss', 'designer', 'design-reviewer'];

interface Team {
  agents: ReadonlyMap<string, AgentConfig>;
  flows: readonly Flow[];
  forges: Readonly<Record<string, { accounts: Readonly<Record<string, unknown>> }>>;
  /** folder of the shipped files */
  shipped: string;
}

export function withoutAbsent({ agents, flows, forges, shipped }: Team): Pick<Team, 'agents' | 'flows'> {
  const isAbsent = (agent: string) =>
    OPTIONAL.includes(agent) &&
    agents.get(agent)?.file.startsWith(shipped) !== false &&
    !Object.values(forges).some(({ accounts }) => Object.hasOwn(accounts, agent)) &&
    // A flow of the operator's own for it is meant, and says what it lacks.
    flows.every((flow) => flow.agent !== agent || flow.file.startsWith(shipped));
  return {
    agents: new Map([...agents].filter(([name]) => !isAbsent(name))),
    flows: flows.filter(({ agent }) => !isAbsent(agent)),
  };
}
