/** Whether a run left on the forge what its skill promised. Pure. */
import type { SkillPromise } from '../vocabulary.ts';

/** What the forge has taken from one dispatch. */
export interface Left {
  /** commits went out that the forge did not have */
  hasNews: boolean;
  /** a pull request that the conversation did not have when the dispatch began */
  newPull: boolean;
  reviewed: boolean;
  /** words of the agent's own were posted */
  answered: boolean;
}

/** The promises that were kept. One is enough: a skill names all that may come of it. */
export function keptPromises(promises: readonly SkillPromise[], left: Left): SkillPromise[] {
  const kept: Record<SkillPromise, boolean> = {
    head: left.hasNews,
    pull: left.newPull,
    verdict: left.reviewed,
    answer: left.answered,
  };
  return promises.filter((promise) => kept[promise]);
}
