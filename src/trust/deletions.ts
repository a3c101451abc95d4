/**
 * Whether a comment is really gone. A delivery that claims so takes somebody's words back, so the forge is asked.
 */
import type { ForgeConfig } from '../config/config.ts';
import { ForgeMissing, ForgeRefused, ForgeUnavailable } from '../errors.ts';
import type { Forge } from '../forges/forge.ts';
import type { RepositoryRef } from '../vocabulary.ts';
import type { Patience } from './patience.ts';

export interface DeletionDeps {
  client: (forge: ForgeConfig, agent: string) => Pick<Forge, 'getComment' | 'findReviewComment'>;
  patience: Patience;
}

export interface DeletionQuestion {
  forge: ForgeConfig;
  repository: RepositoryRef;
  comment: number;
  /** items in which it may have been an inline comment of a review */
  numbers: readonly number[];
}

/** Throws ForgeUnavailable or ForgeRefused when no account gets an answer. */
export async function commentIsGone(deps: DeletionDeps, question: DeletionQuestion): Promise<boolean> {
  return await deps.patience.ask(question.forge.name, async () => {
    let trouble: unknown = null;
    let answered = false;
    for (const agent of Object.keys(question.forge.accounts)) {
      try {
        if (await isThere(deps.client(question.forge, agent), question)) return false;
        answered = true;
      } catch (error) {
        if (!(error instanceof ForgeUnavailable || error instanceof ForgeRefused)) throw error;
        trouble ??= error;
      }
    }
    if (!answered && trouble !== null) throw trouble;
    return answered;
  });
}

async function isThere(
  client: Pick<Forge, 'getComment' | 'findReviewComment'>,
  { repository, comment, numbers }: DeletionQuestion,
): Promise<boolean> {
  const found = await orMissing(() => client.getComment(repository, comment));
  if (found !== null) return true;
  for (const number of numbers) {
    if ((await orMissing(() => client.findReviewComment(repository, number, comment))) !== null) return true;
  }
  return false;
}

async function orMissing<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ForgeMissing) return null;
    throw error;
  }
}
