/** Reads once what every dispatch reads before it runs. An account that is refused one of these would fail every dispatch. */
import { isForgesAnswer } from '../errors.ts';
import type { RepositoryRef } from '../vocabulary.ts';
import type { Forge } from './forge.ts';
import type { NotOffered } from './not-offered.ts';

export interface ReadTrial {
  /** as "comments of #3" */
  what: string;
  /** dispatches go on without what is `not-offered` or `hidden`; `hidden`: the forge has it, and not for this account */
  outcome: 'read' | 'not-offered' | 'hidden' | 'failed';
  /** a sentence; '' when it was read */
  why: string;
}

export type TriedForge = Pick<
  Forge,
  | 'listItems'
  | 'getItem'
  | 'listComments'
  | 'timeline'
  | 'listReviews'
  | 'dismissedReviews'
  | 'ciState'
  | 'listRuns'
>;

/** A pull request is looked for among so many of the newest items. */
const LOOKED_AT = 30;

/** Never throws for what the forge says. Without any item, only the lists are tried. */
export async function tryReads(forge: TriedForge, repository: RepositoryRef): Promise<ReadTrial[]> {
  const trials: ReadTrial[] = [];
  const attempt = async <T>(what: string, read: () => Promise<T | NotOffered>): Promise<T | null> => {
    const { trial, value } = await tryOne(what, read);
    trials.push(trial);
    return value;
  };
  const items = await attempt('issues and pull requests', () =>
    forge.listItems(repository, { state: 'all', limit: LOOKED_AT }),
  );
  const found = items?.find(({ kind }) => kind === 'pull') ?? items?.[0];
  if (found !== undefined) {
    const { number } = found;
    const item = await attempt(`#${number}`, () => forge.getItem(repository, number));
    await attempt(`comments of #${number}`, () => forge.listComments(repository, number));
    await attempt(`timeline of #${number}`, () =>
      forge.timeline(repository, number, { since: null, page: 1 }),
    );
    const pull = item?.pull ?? null;
    if (pull !== null) {
      await attempt(`reviews of #${number}`, () => forge.listReviews(repository, number));
      await attempt(`dismissed reviews of #${number}`, () => forge.dismissedReviews(repository, number));
      await attempt(`CI of #${number}`, () => forge.ciState(repository, pull.headSha));
    }
  }
  const runs = await attempt('CI runs', () => forge.listRuns(repository, { headSha: null, limit: 1 }));
  if (runs !== null && runs.limited !== null) {
    trials.push({ what: 'ids of CI runs', outcome: 'not-offered', why: runs.limited });
  }
  return trials;
}

async function tryOne<T>(
  what: string,
  read: () => Promise<T | NotOffered>,
): Promise<{ trial: ReadTrial; value: T | null }> {
  try {
    const answer = await read();
    if (isNotOffered(answer)) {
      const outcome = answer.isHidden === true ? 'hidden' : 'not-offered';
      return { trial: { what, outcome, why: answer.why }, value: null };
    }
    return { trial: { what, outcome: 'read', why: '' }, value: answer };
  } catch (error) {
    if (!isForgesAnswer(error)) throw error;
    return { trial: { what, outcome: 'failed', why: error.message }, value: null };
  }
}

function isNotOffered<T>(answer: T | NotOffered): answer is NotOffered {
  return typeof answer === 'object' && answer !== null && 'kind' in answer && answer.kind === 'not-offered';
}
