/** What goes out to the forge when a run has ended. */
import { checkOf } from '../../broker/git-policy.ts';
import type { Rows } from '../../database/database.ts';
import type { EffectRow } from '../../database/tables.ts';
import { assertLease } from '../../mailbox/leases.ts';
import { recordPush } from '../../mailbox/pushes.ts';
import { commitOfRun } from '../../outcome/commit-of-run.ts';
import type { FailureText } from '../../outcome/failure-texts.ts';
import { leaveToPeople } from '../../outcome/questions.ts';
import { type OutcomeDeps, type Publication, type Published, publishOutcome } from '../../outcome.ts';
import { openMarks, restrictionBy } from '../../sessions/marks.ts';
import { newestSession } from '../../sessions.ts';
import { gitPolicy, remoteNow } from '../converse/doors.ts';
import { answeredItems } from '../converse/elsewhere.ts';
import type { Dispatch, DispatchDeps } from '../dispatch.ts';
import { type CarriedMessage, leadingOf, readMessage } from '../gather/messages.ts';
import { isSelf } from '../own-account.ts';
import { presentName } from '../present-name.ts';
import type { Prepared } from '../screen/context.ts';
import { about } from '../settle/told.ts';
import { leftOver } from './left-over.ts';
import { headNow, reviewedCommit } from './reviewed.ts';
import { whyNoPull } from './unwanted-pull.ts';

/** What an answer says, and how it came about. */
export interface Said extends Pick<Publication, 'answer' | 'continuity' | 'continuityReason' | 'model'> {
  /** those that are answered */
  messages: readonly CarriedMessage[];
  /** the run has just ended: its checkout is as it left it */
  isLive: boolean;
  /** the row of the push, where it was planned with the answer */
  planned: EffectRow | null;
}

/** The fourth step: the answer, and the work of the run, go to the forge. */
export async function publish(
  dispatch: Prepared,
  deps: DispatchDeps,
  { messages, isLive, planned, ...said }: Said,
): Promise<Published> {
  const { agent, lease, item, key, place } = dispatch;
  const branch = place.branch;
  const repository = await presentName(dispatch.forge.read, dispatch.repository);
  const present = { ...dispatch, repository };
  // From the rows: what the run had read is known also after a crash.
  const restriction = await restrictionOf(deps.database.rows, key.conversationId);
  const published = await publishOutcome(
    {
      ...said,
      ...addressOf(dispatch, deps),
      repository,
      ...answeredOn(messages, dispatch.context.item.number),
      itemTitle: item.title || dispatch.context.item.title,
      publish: agent.publish,
      branch:
        branch === null
          ? null
          : {
              ...branch,
              planned,
              refusePull: () => whyNoPull(present, deps),
              push: () => pushNow(dispatch, deps, { branch: branch.name, restriction }),
            },
      joined: place.joined,
      closes: item.kind === 'issue' ? item.number : null,
      disclosure: deps.config().disclosure,
      leftOver: async (published) =>
        agent.publish === 'pull-request'
          ? await leftOver(deps.workdir, place.checkout, { published, since: lease.dispatch.created_at })
          : [],
      reviewed: await reviewedBy(dispatch, deps, isLive),
    },
    outcomeDeps(dispatch, deps, restriction !== null),
  );
  logRefusals(dispatch, deps, published);
  if (published.approval !== null) {
    const left = { key, kind: 'approval' as const, id: 'push', text: published.approval };
    await leaveToPeople(outcomeDeps(dispatch, deps, true), left);
  }
  return published;
}

/** Whose publication it is, and where it goes. */
function addressOf(dispatch: Dispatch, { trust }: DispatchDeps) {
  return {
    key: dispatch.key,
    agent: dispatch.agent.name,
    isOurs: isSelf(dispatch, trust),
    forgeName: dispatch.forge.config.name,
  };
}

/** People read of them on the item where there is one; whoever runs the service reads of all here. */
function logRefusals({ lease }: Dispatch, { log }: DispatchDeps, { refusals }: Published): void {
  for (const reason of refusals) log.warn('refused by the forge', { ...about(lease), reason });
}

async function reviewedBy(
  { agent, key, context: { item }, place: { checkedOut, checkout } }: Prepared,
  deps: DispatchDeps,
  isLive: boolean,
): Promise<Publication['reviewed']> {
  if (agent.publish !== 'review' || item.pull === null) return null;
  return reviewedCommit({
    number: item.number,
    checkedOut: checkedOut?.number ?? null,
    began: await commitOfRun(deps.database.rows, key.dispatchId),
    now: isLive ? await headNow(deps.workdir, checkout) : null,
  });
}

function answeredOn(messages: readonly CarriedMessage[], fallback: number) {
  const number = leadingOf([...messages])?.event.item?.number ?? fallback;
  const [itemNumber, ...alsoAsked] = answeredItems(messages, number);
  return { itemNumber, alsoAsked };
}

function outcomeDeps({ forge, lease }: Dispatch, deps: DispatchDeps, strict: boolean): OutcomeDeps {
  return {
    database: deps.database,
    forge: forge.write(() => strict),
    now: deps.now,
    assertMine: (tx) => assertLease(tx, lease),
  };
}

/** A failure that only a person can mend: said on the item the newest message came from, with a link on others that asked. */
export async function tellPeople(dispatch: Dispatch, deps: DispatchDeps, text: FailureText): Promise<void> {
  const { item, forge, lease } = dispatch;
  const repository = await presentName(forge.read, item.repository);
  const messages = lease.messages.map(readMessage);
  const number = messages.at(-1)?.event.item?.number ?? item.number;
  const [itemNumber, ...alsoAsked] = answeredItems(messages, number);
  const published = await publishOutcome(
    {
      ...addressOf(dispatch, deps),
      repository,
      itemNumber,
      alsoAsked,
      itemTitle: item.title,
      publish: 'comment',
      branch: null,
      joined: [],
      leftOver: async () => [],
      closes: null,
      reviewed: null,
      answer: text,
      continuity: 'resumed',
      continuityReason: '',
    },
    // A reason may quote anybody.
    outcomeDeps(dispatch, deps, true),
  );
  logRefusals(dispatch, deps, published);
}

/** With the token of the moment: the one the run began with may have been replaced. */
async function pushNow(
  dispatch: Prepared,
  deps: DispatchDeps,
  { branch, restriction }: { branch: string; restriction: string | null },
) {
  deps.refreshConfig();
  const { rows } = deps.database;
  const remote = await remoteNow(dispatch, deps);
  // What the door refused in the run must not go out after it.
  const check = checkOf(gitPolicy(dispatch, deps, () => restriction));
  const began = await commitOfRun(rows, dispatch.key.dispatchId);
  const pushed = await deps.workdir.push(dispatch.place.checkout, { remote, branch, check, began });
  if ('sha' in pushed) {
    const { conversation } = dispatch.lease;
    await recordPush(rows, { conversation, sha: pushed.sha, now: deps.now() });
  }
  return pushed;
}

async function restrictionOf(rows: Rows, conversationId: string): Promise<string | null> {
  const session = await newestSession(rows, conversationId);
  return session === null ? null : restrictionBy(await openMarks(rows, session.id));
}
