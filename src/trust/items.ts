/**
 * Whether a pull request has the author and the text that a delivery says. It matters because a pull request that
 * closes an issue joins its conversation.
 */
import type { ForgeConfig } from '../config/config.ts';
import { isEventTextOf } from '../forges/event-limits.ts';
import type { Forge, Item } from '../forges/forge.ts';
import type { EventItem, RepositoryRef } from '../vocabulary.ts';
import { firstAnswer } from './first-account.ts';
import type { Patience } from './patience.ts';

export interface ItemDeps {
  client: (forge: ForgeConfig, agent: string) => Pick<Forge, 'getItem'>;
  patience: Patience;
}

export interface ItemQuestion {
  forge: ForgeConfig;
  repository: RepositoryRef;
  item: EventItem;
}

/** Throws ForgeUnavailable or ForgeRefused when no account gets an answer. */
export async function itemIsAsSaid(deps: ItemDeps, { item, ...question }: ItemQuestion): Promise<boolean> {
  const found = await itemOnForge(deps, { ...question, number: item.number });
  return found !== null && found.author.id === item.author.id && isEventTextOf(item.body, found.body);
}

export interface NumberQuestion {
  forge: ForgeConfig;
  repository: RepositoryRef;
  number: number;
}

/** Null where none of our accounts sees such an item. Throws as above. */
export async function itemOnForge(deps: ItemDeps, question: NumberQuestion): Promise<Item | null> {
  const { forge, repository, number } = question;
  return await deps.patience.ask(forge.name, () =>
    firstAnswer(forge, (agent) => deps.client(forge, agent).getItem(repository, number)),
  );
}
