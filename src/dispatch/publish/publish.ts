/** What goes out to the forge when a run has ended. */
import { checkOf } from '../../broker/git-policy.ts';
import type { Rows } from '../../database/database.ts';
import { assertLease } from '../../mailbox/leases.ts';
import { recordPush } from '../../mailbox/pushes.ts';
import { commitOfRun } from '../../outcome/commit-of-run.ts';
import type { FailureText } from '../../outcome/failure-texts.ts';
import { type OutcomeDeps, type Publication, type Published, publishOutcome } from '../../outcome.ts';
import { openMarks, restrictionBy } from '../../sessions/marks.ts';
import { newestSession } from '../../sessions.ts';
import { gitPolicy, remoteNow } from '../converse/doors.ts';
import { answeredItems } from '../converse/elsewhere.ts';
import type { DispatchDeps, Work } from '../dispatch.ts';
import type { DispatchContext } from '../gather/context.ts';
import { type CarriedMessage, leadingOf, readMessage } from '../gather/messages.ts';
import { isSelf } from '../own-account.ts';
import { presentName } from '../present-name.ts';
import { about } from '../settle/told.ts';
import { leftOver } from './left-over.ts';
import { headNow, reviewedCommit } from './reviewed.ts';
import { whyNoPull } from './unwanted-pull.ts';

export async function publish(
  work: Work,
  deps: DispatchDeps,
  context: DispatchContext,
  {
    messages,
    isLive,
    ...said
  }: Pick<Publication, 'answer' | 'continuity' | 'continuityReason' | 'model'> & {
    /** those that are answered */
    messages: readonly CarriedMessage[];
    /** the run has just ended: its checkout is as it left it */
    isLive: boolean;
  },
): Promise<Published> {
  const { agent, lease } = work;
  const branch = context.branch;
  const repository = await presentName(work.forge, context.repository);
  // From the rows: what the run had read is known also after a crash.
  const restriction = await restrictionOf(deps.database.rows, lease.conversation.id);
  const published = await publishOutcome(
    {
      ...said,
      dispatchId: lease.dispatch.id,
      conversationId: lease.conversation.id,
      agent: agent.name,
      isOurs: isSelf(work, deps.trust),
      forgeName: lease.conversation.forge,
      repository,
      ...answeredOn(messages, context.item.number),
      itemTitle: lease.conversation.title || context.item.title,
      publish: agent.publish,
      branch:
        branch === null
          ? null
          : {
              ...branch,
              refusePull: () => whyNoPull(work, deps, { ...context, repository }),
              push: () => pushNow(work, deps, { context, branch: branch.name, restriction }),
            },
      closes: lease.conversation.item_kind === 'issue' ? lease.conversation.item_number : null,
      leftOver: async (published) =>
        agent.publish === 'pull-request'
          ? await leftOver(deps.workdir, context.checkout, { published, since: lease.dispatch.created_at })
          : [],
      reviewed: await reviewedBy(work, deps, context, isLive),
    },
    outcomeDeps(work, deps, restriction !== null),
  );
  logRefusals(work, deps, published);
  return published;
}

/** People read of them on the item where there is one; whoever runs the service reads of all here. */
function logRefusals({ lease }: Work, { log }: DispatchDeps, { refusals }: Published): void {
  for (const reason of refusals) log.warn('refused by the forge', { ...about(lease), reason });
}

async function reviewedBy(
  { agent, lease }: Work,
  deps: DispatchDeps,
  { item, checkedOut, checkout }: DispatchContext,
  isLive: boolean,
): Promise<Publication['reviewed']> {
  if (agent.publish !== 'review' || item.pull === null) return null;
  return reviewedCommit({
    number: item.number,
    checkedOut: checkedOut?.number ?? null,
    began: await commitOfRun(deps.database.rows, lease.dispatch.id),
    now: isLive ? await headNow(deps.workdir, checkout) : null,
  });
}

function answeredOn(messages: readonly CarriedMessage[], fallback: number) {
  const number = leadingOf([...messages])?.event.item?.number ?? fallback;
  const [itemNumber, ...alsoAsked] = answeredItems(messages, number);
  return { itemNumber, alsoAsked };
}

function outcomeDeps(work: Work, deps: DispatchDeps, strict: boolean): OutcomeDeps {
  return {
    database: deps.database,
    forge: work.speak(() => strict),
    now: deps.now,
    assertMine: (tx) => assertLease(tx, work.lease),
  };
}

/** A failure that only a person can mend: said on the item the newest message came from, with a link on others that asked. */
export async function tellPeople(work: Work, deps: DispatchDeps, text: FailureText): Promise<void> {
  const { agent, lease } = work;
  const { repository_id: id, repository_name: fullName } = lease.conversation;
  const repository = await presentName(work.forge, { id, fullName });
  const messages = lease.messages.map(readMessage);
  const number = messages.at(-1)?.event.item?.number ?? lease.conversation.item_number;
  const [itemNumber, ...alsoAsked] = answeredItems(messages, number);
  const published = await publishOutcome(
    {
      dispatchId: lease.dispatch.id,
      conversationId: lease.conversation.id,
      agent: agent.name,
      isOurs: isSelf(work, deps.trust),
      forgeName: lease.conversation.forge,
      repository,
      itemNumber,
      alsoAsked,
      itemTitle: lease.conversation.title,
      publish: 'comment',
      branch: null,
      leftOver: async () => [],
      closes: null,
      reviewed: null,
      answer: text,
      continuity: 'resumed',
      continuityReason: '',
    },
    // A reason may quote anybody.
    outcomeDeps(work, deps, true),
  );
  logRefusals(work, deps, published);
}

/** With the token of the moment: the one the run began with may have been replaced. */
async function pushNow(
  work: Work,
  deps: DispatchDeps,
  { context, branch, restriction }: { context: DispatchContext; branch: string; restriction: string | null },
) {
  deps.refreshConfig();
  const remote = await remoteNow(work, deps, context);
  // What the door refused in the run must not go out after it.
  const check = checkOf(gitPolicy(work, deps, { context, marked: () => restriction }));
  const began = await commitOfRun(deps.database.rows, work.lease.dispatch.id);
  const pushed = await deps.workdir.push(context.checkout, { remote, branch, check, began });
  if ('sha' in pushed) {
    const { conversation } = work.lease;
    await recordPush(deps.database.rows, { conversation, sha: pushed.sha, now: deps.now() });
  }
  return pushed;
}

async function restrictionOf(rows: Rows, conversationId: string): Promise<string | null> {
  const session = await newestSession(rows, conversationId);
  return session === null ? null : restrictionBy(await openMarks(rows, session.id));
}
