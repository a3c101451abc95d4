/** The open pull request that an issue says it is stacked on: its branch is where the work on the issue starts. */
import { parentIn } from '../../dependencies/references.ts';
import { ForgeMissing } from '../../errors.ts';
import type { Item } from '../../forges/forge.ts';
import { sameLogin } from '../../logins.ts';
import { keepStack } from '../../mailbox/stacks.ts';
import type { EventRepository } from '../../vocabulary.ts';
import type { Dispatch, DispatchDeps } from '../dispatch.ts';

export type OpenPull = Item & { pull: NonNullable<Item['pull']> };

interface Question {
  repository: EventRepository;
  /** the issue that is worked on */
  issue: Item;
}

/** null: it says nothing of it, or what it names is merged, closed, a fork's, or has no pull request yet */
export async function stackParent(
  dispatch: Dispatch,
  deps: Pick<DispatchDeps, 'database' | 'now'>,
  { repository, issue }: Question,
): Promise<OpenPull | null> {
  const { forge, lease } = dispatch;
  const named = parentIn(issue.body, forge.config.url);
  const isHere =
    named !== null && (named.repository === null || sameLogin(named.repository, repository.fullName));
  if (!isHere || named.number === dispatch.item.number) return null;
  const parent = await openPullOf(dispatch, deps, { repository, number: named.number });
  if (parent === null) return null;
  const { conversation } = lease;
  await keepStack(deps.database.rows, {
    conversation_id: conversation.id,
    agent: conversation.agent,
    forge: conversation.forge,
    repository_id: conversation.repository_id,
    repository_name: conversation.repository_name,
    parent: parent.number,
    parent_branch: parent.pull.headRef,
    parent_head: parent.pull.headSha,
    look_at: deps.now() + LOOK_MS,
  });
  return parent;
}

const LOOK_MS = 600_000;

/** A pull request itself, or the one that an agent opened for an issue. */
async function openPullOf(
  { forge, lease }: Dispatch,
  { database }: Pick<DispatchDeps, 'database'>,
  { repository, number }: { repository: EventRepository; number: number },
): Promise<OpenPull | null> {
  const item = await orNull(forge.read.getItem(repository, number));
  if (item === null) return null;
  if (item.pull !== null) return isOpen(item) ? item : null;
  const found = await database.rows
    .selectFrom('conversation_items as i')
    .innerJoin('conversations as c', 'c.id', 'i.conversation_id')
    .select('c.branch')
    .where('i.forge', '=', lease.conversation.forge)
    .where('i.repository_id', '=', lease.conversation.repository_id)
    .where('i.number', '=', number)
    .where('c.branch', 'is not', null)
    .orderBy('c.created_at')
    .execute();
  for (const { branch } of found) {
    const pull = (await forge.read.findPulls(repository, branch!)).find(isOpen);
    if (pull !== undefined) return pull;
  }
  return null;
}

function isOpen(item: Item): item is OpenPull {
  return (
    item.pull !== null && item.state === 'open' && !item.pull.fork && !item.pull.headRef.startsWith('refs/')
  );
}

async function orNull(reading: Promise<Item>): Promise<Item | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ForgeMissing) return null;
    throw error;
  }
}
