/** Which commit speaks for the base branch of a dispatch: what is set up, and which lock files count. */
import type { Remote } from '../workdir/port.ts';
import type { DispatchDeps } from './dispatch.ts';
import type { Prepared } from './screen/context.ts';

/**
 * The head of the base branch as the dispatch began. A branch that a conversation works on can be the base of another pull
 * request, and is none here: what stands there, an agent may have written. Then the default branch speaks.
 */
export async function trustedBase(dispatch: Prepared, deps: DispatchDeps, remote: Remote): Promise<string> {
  const { place, repository, lease } = dispatch;
  const { checkout } = place;
  const name = place.branch?.base ?? place.checkedOut?.pull?.baseRef ?? repository.defaultBranch;
  if (name === repository.defaultBranch) return checkout.baseSha;
  const own = await deps.database.rows
    .selectFrom('conversations')
    .select('id')
    .where('forge', '=', lease.conversation.forge)
    .where('repository_id', '=', repository.id)
    .where('branch', '=', name)
    .executeTakeFirst();
  // guard: layers: a branch that an agent works on is no base
  if (own === undefined) return checkout.baseSha;
  const { defaultBranch } = repository;
  const head = await deps.workdir.knownHead(checkout, { remote, branch: defaultBranch });
  if (head !== null) return head;
  throw new Error(
    `The mirror of ${repository.fullName} has no branch ${defaultBranch}, which the forge says is the default one. See that it exists on the forge; the dispatch is tried again.`,
  );
}
