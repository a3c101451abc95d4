/** For a person at the session's terminal: the item and the checkout. Nothing is carried, so that what waits goes on waiting. */
import { isListed } from '../../config/listed-repositories.ts';
import { optOutReason } from '../../trust/opt-out.ts';
import { forkRefusal } from '../../trust/sender.ts';
import type { Dispatch } from '../dispatch.ts';
import { itemsOf } from './conversation-items.ts';
import { Evidence } from './evidence.ts';
import { type GatherDeps, type Gathered, readRepository } from './gather.ts';
import { readItem } from './read-item.ts';
import { placeCheckout } from './where.ts';

/** The value, or a clause that says why its agent may not work there. */
export async function gatherForTerminal(dispatch: Dispatch, deps: GatherDeps): Promise<Gathered | string> {
  const { config } = dispatch.forge;
  const repository = await readRepository(dispatch, deps);
  if (!isListed(config, repository.fullName)) {
    return `repository ${repository.fullName} is not listed any more; add it to forges.${config.name}.repositories`;
  }
  const evidence = new Evidence(dispatch.forge.read, repository);
  const { number } = dispatch.item;
  const found = await readItem(evidence, { repository, number });
  const refused = optOutReason(config, found.item) ?? forkRefusal(config, found.item.pull);
  if (refused !== null) return refused;
  const joined = await itemsOf(deps.database.rows, dispatch.lease);
  return {
    ...dispatch,
    repository,
    messages: [],
    replayed: new Set(),
    found,
    others: [],
    notes: [],
    place: await placeCheckout(dispatch, deps, { repository, item: found.item, joined }),
  };
}
