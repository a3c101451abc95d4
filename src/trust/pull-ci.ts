/** What CI says about a pull request's head, asked by any of our accounts that may see it. */
import type { ForgeConfig } from '../config/config.ts';
import type { CiState, Forge, Item } from '../forges/forge.ts';
import { firstAnswer } from './first-account.ts';
import type { NumberQuestion } from './items.ts';
import type { Patience } from './patience.ts';

export interface PullCi {
  item: Item & { pull: NonNullable<Item['pull']> };
  ci: CiState;
}

export interface PullCiDeps {
  client: (forge: ForgeConfig, agent: string) => Pick<Forge, 'getItem' | 'ciState'>;
  patience: Patience;
}

/** Null where none of our accounts sees such a pull request. Throws as `itemOnForge` does. */
export async function ciOfPull(deps: PullCiDeps, question: NumberQuestion): Promise<PullCi | null> {
  const { forge, repository, number } = question;
  return await deps.patience.ask(forge.name, () =>
    firstAnswer(forge, async (agent) => {
      const client = deps.client(forge, agent);
      const item = await client.getItem(repository, number);
      const { pull } = item;
      return pull === null
        ? null
        : { item: { ...item, pull }, ci: await client.ciState(repository, pull.headSha) };
    }),
  );
}
