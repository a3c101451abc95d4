/**
 * Stops a run whose work was taken back. A delivery only makes it look: what counts is what the forge says when it is
 * asked.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { recalledBy } from '../../mailbox/recalls.ts';
import { failureText } from '../../outcome/failure-texts.ts';
import { type DispatchDeps, type Finished, finish, type Work } from '../dispatch.ts';
import type { DispatchContext } from '../gather/context.ts';
import { itemsOf } from '../gather/conversation-items.ts';
import { Evidence } from '../gather/evidence.ts';
import type { CarriedMessage } from '../gather/messages.ts';
import { withdrawnOf } from '../gather/withdrawn.ts';
import { isSelf } from '../own-account.ts';
import { tellPeople } from '../publish/publish.ts';
import { about } from '../settle/told.ts';
import { replayedMessages } from './announced.ts';

export interface Recall {
  /** aborts when nothing of what the run is for is wanted any more */
  signal: AbortSignal;
  /** a clause for a person; null = the work is still wanted */
  reason(): string | null;
  stop(): Promise<void>;
}

/**
 * A withdrawn run is to end within two seconds, and the CLI takes part of them. The router of this process gives a hint;
 * this is for one in another process.
 */
const LOOK_EVERY_MS = 1000;
const AGAIN_AFTER_MS = 2000;

type Watched = Pick<Work, 'lease' | 'account' | 'agent' | 'forgeConfig' | 'forge' | 'signal' | 'routed'>;
type WatchDeps = Pick<DispatchDeps, 'database' | 'trust' | 'log'>;
type WokenBy = Pick<DispatchContext, 'repository' | 'messages'>;

export function watchRecalls(work: Watched, deps: WatchDeps, context: WokenBy): Recall {
  const stopped = new AbortController();
  const recalled = new AbortController();
  let reason: string | null = null;
  const watching = (async () => {
    let heard: string | null = null;
    let known = 0;
    while (reason === null) {
      await work.routed.wait(LOOK_EVERY_MS, { known, signal: stopped.signal });
      known = work.routed.given;
      try {
        const by = await recalledBy(deps.database.rows, work.lease.dispatch.id);
        if (by === heard) continue;
        reason = await reasonToStop(work, deps, context);
        heard = by;
      } catch (error) {
        deps.log.warn('whether the work is still wanted is asked again', { ...about(work.lease), error });
        await sleep(AGAIN_AFTER_MS, undefined, { signal: stopped.signal, ref: false });
      }
    }
    // guard: withdrawn: in mid-run
    recalled.abort(reason);
  })().catch(() => {
    // Stopped while it waited.
  });
  return {
    signal: AbortSignal.any([work.signal, recalled.signal]),
    reason: () => (recalled.signal.aborted ? reason : null),
    stop: async () => {
      stopped.abort();
      await watching;
    },
  };
}

async function reasonToStop(work: Watched, deps: WatchDeps, context: WokenBy): Promise<string | null> {
  const evidence = new Evidence(work.forge, context.repository);
  const withdrawn = await withdrawnFrom(work, deps, { messages: context.messages, evidence });
  const stillWanted = context.messages.some(({ id }) => !withdrawn.has(id));
  return stillWanted ? null : ([...withdrawn.values()].at(-1) ?? null);
}

/** Of these messages, which were taken back, and by whom. */
export async function withdrawnFrom(
  work: Pick<Work, 'lease' | 'account' | 'agent' | 'forgeConfig'>,
  { database, trust }: Pick<DispatchDeps, 'database' | 'trust'>,
  { messages, evidence }: { messages: readonly CarriedMessage[]; evidence: Evidence },
): Promise<Map<string, string>> {
  const { account, lease } = work;
  return await withdrawnOf({
    messages,
    evidence,
    login: account.login,
    isSelf: isSelf(work, trust),
    joined: await itemsOf(database.rows, lease),
    replayed: await replayedMessages(database, messages),
  });
}

/** Nothing is published, and the session and the checkout stay as they are for whatever comes next. */
export async function stopWithdrawn(work: Work, deps: DispatchDeps, reason: string): Promise<Finished> {
  deps.log.info('run stopped, its work was taken back', { ...about(work.lease), reason });
  await tellPeople(work, deps, failureText({ kind: 'stopped', why: reason }));
  return finish({ state: 'cancelled', reason });
}
