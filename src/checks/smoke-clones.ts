/** Whether git gets to the repositories that are listed, as an agent's account, and whether its branches can have their names. */
import type { AgentConfig, ForgeConfig } from '../config/config.ts';
import { isForgesAnswer } from '../errors.ts';
import type { Forge } from '../forges/forge.ts';
import type { Network } from '../network.ts';
import type { TryClone } from '../workdir/try-clone.ts';
import { type Check, isWell } from './check.ts';
import { type CloneCheck, checkClone } from './clones.ts';
import { withoutPassword } from './repositories.ts';
import { namesOf } from './smoke-reads.ts';
import { lineOf, type SmokeLine } from './smoke-report.ts';

interface Deps {
  forge: (forge: ForgeConfig, agent: string) => Pick<Forge, 'findRepository' | 'listRepositories'>;
  clone: TryClone;
  network: Pick<Network, 'proxyFor'>;
}

/** One line: what is wrong with the first that is not well, else all that were cloned. */
export async function checkSmokeClones(
  forge: ForgeConfig,
  agent: AgentConfig,
  deps: Deps,
): Promise<SmokeLine[]> {
  const cloned: { fullName: string; check: Check<CloneCheck> }[] = [];
  const client = deps.forge(forge, agent.name);
  try {
    // One after another: each is a network's round trips, and one that is away is so for all.
    for (const name of await namesOf(forge, client)) {
      const found = await client.findRepository(name);
      const { fullName } = found.repository;
      const of = { forge, agent: agent.name, branchPrefix: agent.branchPrefix, fullName };
      const { check } = await checkClone({ ...of, cloneUrl: withoutPassword(found.cloneUrl) }, deps);
      if (!isWell(check)) return [lineOf(check, { agent: agent.name, where: `${forge.name}, ${fullName}` })];
      cloned.push({ fullName, check });
    }
  } catch (error) {
    // The lines about the token and the reads tell what the API said.
    if (!isForgesAnswer(error)) throw error;
    return [];
  }
  const [first] = cloned;
  if (first === undefined) return [];
  const evidence = `git cloned ${cloned.map(({ fullName }) => fullName).join(', ')}`;
  return [lineOf({ ...first.check, evidence }, { agent: agent.name, where: forge.name })];
}
