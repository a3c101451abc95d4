/**
 * Effects are checked: what the skill of a dispatch promised is looked for in what the forge took from it, by the service or
 * by the agent's own calls. The second dispatch in a row that left nothing asks a person, once, in the thread.
 */
import { assertLease } from '../../mailbox/leases.ts';
import { progressOf } from '../../mailbox/progress.ts';
import { effectKey, marker, once } from '../../outcome/effects.ts';
import { failureText, type Tried } from '../../outcome/failure-texts.ts';
import { keptPromises, type Left } from '../../outcome/promises.ts';
import type { Published } from '../../outcome.ts';
import type { Dispatch, DispatchDeps } from '../dispatch.ts';
import { type CarriedMessage, leadingOf } from '../gather/messages.ts';
import { isSelf } from '../own-account.ts';

/** For the settlement; `asked`: a person was asked now, or in an attempt before this one. */
export interface ProgressMade {
  made: boolean;
  asked: boolean;
}

interface Finished {
  published: Published;
  /** those that are answered */
  messages: readonly CarriedMessage[];
  /** the agent's own words were posted */
  hasWords: boolean;
  /** numbers of the items that the conversation had when the dispatch began */
  joined: readonly number[];
}

/** So many in a row are enough to ask. */
const ENOUGH = 2;

/** Null where the skill promises nothing. */
export async function checkPromises(
  dispatch: Dispatch,
  deps: DispatchDeps,
  finished: Finished,
): Promise<ProgressMade | null> {
  const leading = leadingOf([...finished.messages]);
  const promises = deps.config().skills.get(leading?.skill ?? '')?.promises ?? [];
  if (leading === null || promises.length === 0) return null;
  const kept = keptPromises(promises, await leftOnTheForge(dispatch, deps, finished));
  if (kept.length > 0) return { made: true, asked: false };
  const { rows } = deps.database;
  const { without, askedAt } = await progressOf(rows, dispatch.key.conversationId);
  if (without + 1 < ENOUGH || askedAt !== null) return { made: false, asked: false };
  const tried = await triedBefore(dispatch, deps, { skill: leading.skill, lacking: [...promises] });
  const number = leading.event.item?.number ?? dispatch.item.number;
  return { made: false, asked: await ask(dispatch, deps, { number, tried }) };
}

/** Calls of the agent's own are effects with the forge's answer. */
async function leftOnTheForge(
  { key }: Dispatch,
  { database }: DispatchDeps,
  { published, hasWords, joined }: Finished,
): Promise<Left> {
  const calls = await database.rows
    .selectFrom('effects')
    .select('kind')
    .where('dispatch_id', '=', key.dispatchId)
    .where('state', '=', 'done')
    .execute();
  const did = new Set<string>(calls.map(({ kind }) => kind));
  const { hasNews, pullNumber, commentUrl, reviewId } = published;
  return {
    hasNews,
    newPull: did.has('tool:open_pull') || (pullNumber !== null && !joined.includes(pullNumber)),
    reviewed: reviewId !== null || did.has('tool:submit_review'),
    answered: hasWords && (commentUrl !== null || reviewId !== null || did.has('tool:comment')),
  };
}

/** The dispatch before this one, and this one: two lines that say what was wanted of them. */
async function triedBefore(
  { key, lease }: Dispatch,
  deps: DispatchDeps,
  now: { skill: string; lacking: Tried['lacking'] },
): Promise<Tried[]> {
  const before = await deps.database.rows
    .selectFrom('dispatches as d')
    .innerJoin('messages as m', 'm.dispatch_id', 'd.id')
    .select(['d.started_at', 'm.skill', 'm.priority'])
    .where('d.conversation_id', '=', key.conversationId)
    .where('d.progress', '=', 'none')
    .where('d.id', '!=', key.dispatchId)
    .orderBy('d.seq', 'desc')
    .orderBy('m.priority', 'desc')
    .limit(1)
    .execute();
  const earlier = before.map(({ skill, started_at: at }) => ({
    skill,
    at: new Date(at ?? deps.now()).toISOString(),
    lacking: [...(deps.config().skills.get(skill)?.promises ?? [])],
  }));
  const at = new Date(lease.dispatch.started_at ?? deps.now()).toISOString();
  return [...earlier, { ...now, at }];
}

/** False where the forge refused the question; the next dispatch without progress asks again. */
async function ask(
  dispatch: Dispatch,
  deps: DispatchDeps,
  { number, tried }: { number: number; tried: Tried[] },
): Promise<boolean> {
  const { forge, item, key, lease } = dispatch;
  const mark = marker(effectKey(key.dispatchId, 'ask'));
  const body = `${failureText({ kind: 'no-progress', tried })}\n\n${mark}`;
  const writer = forge.write(() => true);
  const effects = { database: deps.database, now: deps.now, assertMine: assertMine(lease) };
  const asked = await once<{ url: string }>(effects, {
    ...key,
    kind: 'ask',
    request: { number, body },
    find: async () => {
      const comments = await forge.read.listComments(item.repository, number);
      const ours = comments.find((c) => c.body.includes(mark) && isSelf(dispatch, deps.trust)(c.author));
      return ours === undefined ? null : { url: ours.htmlUrl };
    },
    perform: async () => ({ url: (await writer.createComment(item.repository, number, body)).htmlUrl }),
  });
  return asked.kind === 'done';
}

function assertMine(lease: Dispatch['lease']) {
  return (tx: Parameters<typeof assertLease>[0]) => assertLease(tx, lease);
}
