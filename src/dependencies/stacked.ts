/** When the parent of a stack is merged: the child's pull request goes into the parent's base, and the child is told to rebase. */
import type { Database } from '../database/database.ts';
import type { StackRow } from '../database/feedback-tables.ts';
import { ForgeMissing, isForgesAnswer } from '../errors.ts';
import type { Forge, Item } from '../forges/forge.ts';
import { endStack, lookAtStackAgain, openStacks } from '../mailbox/stacks.ts';
import { sayTo } from '../own-events.ts';
import type { DependenciesDeps } from './deps.ts';

type StackClient = Pick<Forge, 'getItem' | 'findPulls' | 'updatePull'>;

/** A merge is told by a delivery, or found by the reconciler; this is for neither. */
const LOOK_AGAIN_MS = 600_000;
const AFTER_THE_RUN_MS = 3000;

export async function lookAtStacks(deps: DependenciesDeps): Promise<{ told: number; next: number | null }> {
  let stacks = await openStacks(deps.database.rows);
  const due = stacks.filter(({ look_at }) => Number(look_at) <= deps.now());
  let told = 0;
  for (const stack of due) if (await lookAt(deps, stack)) told += 1;
  if (due.length > 0) stacks = await openStacks(deps.database.rows);
  return { told, next: stacks[0] === undefined ? null : Number(stacks[0].look_at) };
}

async function lookAt(deps: DependenciesDeps, stack: StackRow): Promise<boolean> {
  const forge = deps.config().forges[stack.forge];
  const again = (ms = LOOK_AGAIN_MS) => lookAtStackAgain(deps.database.rows, stack, deps.now() + ms);
  if (forge?.accounts[stack.agent] === undefined) {
    await again();
    return false;
  }
  // Its pull request may be opened at the end of this run, into the branch that it began from.
  if (await isRunning(deps.database, stack)) {
    await again(AFTER_THE_RUN_MS);
    return false;
  }
  try {
    const client = deps.client(forge, stack.agent);
    const repository = { id: stack.repository_id, fullName: stack.repository_name };
    const parent = await client.getItem(repository, stack.parent);
    if (parent.pull?.merged !== true) {
      await again();
      return false;
    }
    // guard: stacks: the child goes into the base of its parent
    await retarget(deps.database, { client, stack, parent, repository });
    return await tell(deps, stack, parent.pull.baseRef);
  } catch (error) {
    if (!isForgesAnswer(error)) throw error;
    deps.log.warn(
      `whether #${stack.parent} of ${stack.repository_name} is merged is not known: ${error.message}`,
    );
    await again();
    return false;
  }
}

async function isRunning({ rows }: Database, { conversation_id }: StackRow): Promise<boolean> {
  const found = await rows
    .selectFrom('dispatches')
    .select('id')
    .where('conversation_id', '=', conversation_id)
    .where('state', '=', 'running')
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

interface Retargeting {
  client: StackClient;
  stack: StackRow;
  parent: Item;
  repository: { id: string; fullName: string };
}

/** May be repeated. A forge does it by itself where it deletes the parent's branch with the merge. */
async function retarget(
  database: Database,
  { client, stack, parent, repository }: Retargeting,
): Promise<void> {
  const { branch } = await database.rows
    .selectFrom('conversations')
    .select('branch')
    .where('id', '=', stack.conversation_id)
    .executeTakeFirstOrThrow();
  if (branch === null) return;
  for (const child of await client.findPulls(repository, branch)) {
    if (child.pull?.baseRef !== stack.parent_branch) continue;
    try {
      await client.updatePull(repository, child.number, { base: parent.pull!.baseRef });
    } catch (error) {
      if (!(error instanceof ForgeMissing)) throw error;
    }
  }
}

async function tell(
  { database, log, now }: DependenciesDeps,
  stack: StackRow,
  base: string,
): Promise<boolean> {
  const isTold = await database.transaction(async (tx) => {
    if (!(await endStack(tx, stack.conversation_id, now()))) return false;
    const { conversation_id: conversationId } = stack;
    await sayTo(tx, { conversationId, by: 'claude-hooks', text: rebaseText(stack, base), now: now() });
    return true;
  });
  if (isTold)
    log.info(`${stack.repository_name}#${stack.parent} is merged, what stands on it is told to rebase`);
  return isTold;
}

function rebaseText({ parent, parent_head: head }: StackRow, base: string): string {
  return `Pull request #${parent}, on which your branch stands, was merged into ${base}, and your pull request goes into ${base} now. Rebase your own commits onto it: \`git fetch\`, then \`git rebase --onto origin/${base} ${head}\` (${head.slice(0, 10)} is the commit of #${parent} that you began from; if that is not in your history, take the newest commit of #${parent} that is). Resolve conflicts, run the tests, and push. Change nothing else.`;
}
