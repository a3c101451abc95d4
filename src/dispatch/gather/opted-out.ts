/**
 * A repository that opts out: its default branch has a file that says so. It is read from the mirror, which has been
 * fetched for the run by then, so that no delivery waits for it and the forge is not asked.
 */
import { OPT_OUT_FILE } from '../../config/opt-out-file.ts';
import { cloneAddress } from '../../forges/clone-address.ts';
import type { EventRepository } from '../../vocabulary.ts';
import type { Checkout } from '../../workdir.ts';
import type { Dispatch, DispatchDeps } from '../dispatch.ts';

/** `reason`: a clause that ends with what to do; `isNews`: the dispatch before this one was not refused for it */
export interface OptedOut {
  reason: string;
  isNews: boolean;
}

/** Null: agents may work. The default branch decides, because any other may be an agent's own. */
export async function optedOut(
  { forge, lease }: Dispatch,
  { workdir, database }: Pick<DispatchDeps, 'workdir' | 'database'>,
  { repository, checkout }: { repository: EventRepository; checkout: Checkout },
): Promise<OptedOut | null> {
  const { config, account } = forge;
  const remote = { url: cloneAddress(config.cloneUrl, repository.fullName), token: account.token };
  const sha = await workdir.knownHead(checkout, { remote, branch: repository.defaultBranch });
  if (sha === null) return null;
  const found = await workdir.baseFiles(checkout, { remote, sha }, { paths: [OPT_OUT_FILE], texts: [] });
  // guard: opt-out: the file keeps agents away
  if (!found.has(OPT_OUT_FILE)) return null;
  const reason = `the default branch of ${repository.fullName} has the file ${OPT_OUT_FILE}, so no agent works in this repository. Remove the file, then write again`;
  const before = await database.rows
    .selectFrom('dispatches')
    .select('reason')
    .where('conversation_id', '=', lease.conversation.id)
    .where('id', '!=', lease.dispatch.id)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return { reason, isNews: before?.reason !== reason };
}
