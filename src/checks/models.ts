/** What agents run on: a model whose price is known, and settings that it takes. */
import { actingAgents } from './acting-agents.ts';
import type { Check } from './check.ts';
import type { DoctorContext } from './context.ts';

export async function checkModels({ config, model }: DoctorContext): Promise<Check[]> {
  return actingAgents(config).flatMap((agent) => {
    const { says, problems } = model(agent);
    return problems.map((problem) => ({ ...problem, subject: `agent ${agent.name}`, evidence: says }));
  });
}
