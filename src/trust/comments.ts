/** A comment as the forge has it, before anybody obeys it: a delivery only claims what it says, and who said it. */
import type { ForgeConfig } from '../config/config.ts';
import type { Forge } from '../forges/forge.ts';
import type { ForgeUser, RepositoryRef } from '../vocabulary.ts';
import { firstAnswer } from './first-account.ts';
import type { Patience } from './patience.ts';

export interface CommentDeps {
  client: (forge: ForgeConfig, agent: string) => Pick<Forge, 'getComment'>;
  patience: Patience;
}

export interface CommentQuestion {
  forge: ForgeConfig;
  repository: RepositoryRef;
  number: number;
  comment: { id: number; author: ForgeUser };
}

/** Its words as they are now; null = there is no such comment by this person on this item. Throws as `firstAnswer`. */
export async function commentWords(deps: CommentDeps, question: CommentQuestion): Promise<string | null> {
  const { forge, repository, number, comment } = question;
  const found = await deps.patience.ask(forge.name, () =>
    firstAnswer(forge, (agent) => deps.client(forge, agent).getComment(repository, comment.id)),
  );
  // guard: commands: the comment is on the forge
  if (found === null || found.itemNumber !== number || found.author.id !== comment.author.id) return null;
  return found.body;
}
