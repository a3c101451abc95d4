/**
 * Feedback: people see on the forge that they were heard, what goes on, and why nothing does. It is derived from rows,
 * beside the work: it holds up neither intake nor a run, survives restarts, and a forge that is down delays only itself.
 */
import type { ForgeConfig, LoadedConfig } from './config/config.ts';
import { feedbackOf } from './config/listed-repositories.ts';
import type { Database } from './database/database.ts';
import type { NoticeRow } from './database/feedback-tables.ts';
import { SEEN, type Unseen, unseenMessages, workFacts } from './feedback/facts.ts';
import { showNotice } from './feedback/show.ts';
import { wantedOf } from './feedback/wanted.ts';
import type { Forge } from './forges/forge.ts';
import type { Log } from './log.ts';
import {
  dueNotices,
  type NoticeTarget,
  nextNotice,
  type PlannedNotice,
  planNotice,
  releaseClaims,
} from './mailbox/notices.ts';
import { outgoingForge } from './outcome/outgoing-forge.ts';
import { isAccountOf } from './trust/sender.ts';
import type { Trust } from './trust.ts';
import { startWakeLoop, type WakeLoop } from './wake-loop.ts';

export interface FeedbackDeps {
  database: Database;
  config: () => Pick<LoadedConfig, 'forges' | 'agents' | 'feedback' | 'server'>;
  /** the client that acts as this agent on this forge */
  forge: (forge: ForgeConfig, agent: string) => Forge;
  trust: Pick<Trust, 'ids'>;
  now: () => number;
  log: Log;
}

/** A person who asked looks for a sign at once; a look is a few queries that find nothing as a rule. */
const LOOK_EVERY_MS = 500;
const SHORTEST_WAIT_MS = 20;
const MOST_AT_ONCE = 50;

export function startFeedback(deps: FeedbackDeps): WakeLoop {
  const busy = new Map<string, Promise<void>>();
  let isFirst = true;
  const loop = startWakeLoop(async () => {
    try {
      // SQLite has one service. On PostgreSQL another one may be alive: its claims end by themselves.
      if (isFirst && deps.database.dialect === 'sqlite') await releaseClaims(deps.database.rows, deps.now());
      isFirst = false;
      await planFeedback(deps);
      await launchDue(deps, busy, () => loop.wake());
      return await untilNext(deps, busy);
    } catch (error) {
      deps.log.error('what people see could not be read, looking again', { error });
      return LOOK_EVERY_MS;
    }
  });
  return {
    wake: loop.wake,
    stop: async () => {
      await loop.stop();
      await Promise.all(busy.values());
    },
  };
}

async function untilNext({ database, now }: FeedbackDeps, busy: Map<string, Promise<void>>): Promise<number> {
  // While a forge is asked, its end wakes the loop.
  const next = busy.size > 0 ? null : await nextNotice(database.rows);
  return next === null ? LOOK_EVERY_MS : Math.max(SHORTEST_WAIT_MS, Math.min(LOOK_EVERY_MS, next - now()));
}

/** Writes what should be shown. Nothing is written where nothing has changed. */
async function planFeedback(deps: FeedbackDeps): Promise<void> {
  const { rows } = deps.database;
  const config = deps.config();
  const now = deps.now();
  for (const unseen of await unseenMessages(rows)) {
    const level = feedbackOf(config, { forge: unseen.forge, fullName: unseen.repository.fullName });
    await planNotice(rows, eyesOn(unseen, level !== 'none'), now);
  }
  const urlOf = (id: string) => pageOf(config.server.publicUrl, id);
  const modelOf = (agent: string) => config.agents.get(agent)?.model ?? null;
  for (const facts of await workFacts(rows, { now, urlOf, modelOf })) {
    const level = feedbackOf(config, { forge: facts.forge, fullName: facts.repository.fullName });
    for (const notice of wantedOf(facts, level, now)) await planNotice(rows, notice, now);
  }
}

const DISPATCH_PAGE = '/dispatches/';

function pageOf(publicUrl: string | null, dispatchId: string): string | null {
  return publicUrl === null ? null : `${publicUrl}${DISPATCH_PAGE}${dispatchId}`;
}

/** Where nothing is to be shown, its row says so: the message is not looked at again. */
function eyesOn(
  { messageId, event, ...place }: Unseen,
  isShown: boolean,
): PlannedNotice & { isSkipped: boolean } {
  const target: NoticeTarget =
    event.comment === null ? { on: 'item' } : { on: 'comment', commentId: event.comment.id };
  return {
    ...place,
    key: `${SEEN}${messageId}`,
    kind: 'reaction',
    target,
    dispatchId: null,
    wanted: 'eyes',
    closed: true,
    // CI is nobody who would look.
    isSkipped: !isShown || event.ci !== null,
  };
}

/**
 * Notices of one forge are shown one after another, so that a comment is not edited before it is there. Forges do not wait
 * for one another. Reactions depend on no other notice and have a queue of their own, so that a slow comment does not delay
 * the eyes.
 */
async function launchDue(
  deps: FeedbackDeps,
  busy: Map<string, Promise<void>>,
  done: () => void,
): Promise<void> {
  const { rows } = deps.database;
  const due = await dueNotices(rows, { now: deps.now(), limit: MOST_AT_ONCE });
  for (const [queue, notices] of Map.groupBy(due, queueOf)) {
    // A forge that is down delays only itself.
    if (busy.has(queue)) continue;
    const work = showAll(deps, notices)
      .catch((error: unknown) =>
        deps.log.error('what people see could not be written', { forge: notices[0]!.forge, error }),
      )
      .finally(() => {
        busy.delete(queue);
        done();
      });
    busy.set(queue, work);
  }
}

function queueOf({ forge, kind }: NoticeRow): string {
  // guard: feedback: eyes wait for nothing else
  return kind === 'reaction' ? `reactions on ${forge}` : forge;
}

async function showAll(deps: FeedbackDeps, notices: readonly NoticeRow[]): Promise<void> {
  for (const notice of notices) {
    const end = await showOne(deps, notice);
    // The others of this forge wait, too: each would cost its whole patience.
    if (end?.kind === 'later') return;
  }
}

async function showOne(deps: FeedbackDeps, notice: NoticeRow) {
  const { database, now, log, trust } = deps;
  const config = deps.config();
  const forge = config.forges[notice.forge];
  const about = {
    forge: notice.forge,
    item: `${notice.repository_name}#${notice.number}`,
    agent: notice.agent,
  };
  if (forge?.accounts[notice.agent] === undefined) {
    log.warn('a notice is not shown, because its agent has no account on the forge any more', about);
    return await forget(deps, notice);
  }
  const client = deps.forge(forge, notice.agent);
  const rules = { own: null, keywords: forge.closingKeywords, strict: true };
  const end = await showNotice(notice, {
    database,
    now,
    forge: outgoingForge(client, () => rules),
    isOurs: (user) => isAccountOf({ forge, ids: trust.ids(forge), agent: notice.agent }, user),
    urlOf: ({ dispatch_id: id }) => (id === null ? '' : (pageOf(config.server.publicUrl, id) ?? '')),
  });
  if (end?.kind === 'refused') {
    log.warn('the forge refused to show a notice', { ...about, notice: notice.kind, reason: end.reason });
  } else if (end?.kind === 'later') {
    log.debug('a notice is shown later', { ...about, notice: notice.kind, reason: end.reason });
  }
  return end;
}

async function forget({ database }: FeedbackDeps, notice: NoticeRow): Promise<null> {
  await database.rows
    .updateTable('notices')
    .set({ state: 'refused', closed: 1, reason: 'its agent has no account on the forge' })
    .where('id', '=', notice.id)
    .execute();
  return null;
}
