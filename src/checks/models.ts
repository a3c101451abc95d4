/** What agents run on: a model whose price is known, and settings that it takes. */

import type { Finding } from './check.ts';
import type { DoctorContext } from './context.ts';
import { actingAgents } from './smoke.ts';

export async function checkModels({ config, model }: DoctorContext): Promise<Finding[]> {
  return actingAgents(config).flatMap((agent) => {
    const { says, problems } = model(agent);
    return problems.map((problem) => ({ ...problem, subject: `agent ${agent.name}`, evidence: says }));
  });
}
