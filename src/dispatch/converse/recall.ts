/** Stops a run whose work was taken back. A delivery is only a hint: the forge is asked before the run is stopped. */
import { setTimeout as sleep } from 'node:timers/promises';
import { stopAskedOf } from '../../mailbox/cancelling.ts';
import { recalledBy } from '../../mailbox/recalls.ts';
import { failureText } from '../../outcome/failure-texts.ts';
import { optOutReason } from '../../trust/opt-out.ts';
import type { Dispatch, DispatchDeps } from '../dispatch.ts';
import { itemsOf } from '../gather/conversation-items.ts';
import { Evidence } from '../gather/evidence.ts';
import { leadingOf } from '../gather/messages.ts';
import { withdrawnFrom } from '../gather/withdrawn.ts';
import { tellPeople } from '../publish/publish.ts';
import type { Prepared } from '../screen/context.ts';
import { type Finished, finish } from '../settle/ending.ts';
import { about } from '../settle/told.ts';

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

type Watched = Pick<
  Prepared,
  'lease' | 'agent' | 'forge' | 'item' | 'signal' | 'routed' | 'repository' | 'messages' | 'replayed'
>;
type WatchDeps = Pick<DispatchDeps, 'database' | 'trust' | 'log'>;

/** `later`: what was handed to the run besides: while somebody wants that, the run goes on. */
export function watchRecalls(
  dispatch: Watched,
  deps: WatchDeps,
  later: () => Watched['messages'] = () => [],
): Recall {
  const stopped = new AbortController();
  const recalled = new AbortController();
  let reason: string | null = null;
  const watching = (async () => {
    let heard: string | null = null;
    let known = 0;
    while (reason === null) {
      await dispatch.routed.wait(LOOK_EVERY_MS, { known, signal: stopped.signal });
      known = dispatch.routed.given;
      try {
        // Asked by a person who may: the forge has nothing to say about it.
        // guard: commands: cancel stops the run
        reason = await stopAskedOf(deps.database.rows, dispatch.lease.dispatch.id);
        if (reason !== null) break;
        const by = await recalledBy(deps.database.rows, dispatch.lease.dispatch.id);
        if (by === heard) continue;
        reason = await reasonToStop({ ...dispatch, messages: [...dispatch.messages, ...later()] }, deps);
        heard = by;
      } catch (error) {
        deps.log.warn('could not ask whether the work is still wanted, asking again', {
          ...about(dispatch.lease),
          error,
        });
        await sleep(AGAIN_AFTER_MS, undefined, { signal: stopped.signal, ref: false });
      }
    }
    // guard: withdrawn: in mid-run
    recalled.abort(reason);
  })().catch(() => {
    // Stopped while it waited.
  });
  return {
    signal: AbortSignal.any([dispatch.signal, recalled.signal]),
    reason: () => (recalled.signal.aborted ? reason : null),
    stop: async () => {
      stopped.abort();
      await watching;
    },
  };
}

async function reasonToStop(dispatch: Watched, deps: WatchDeps): Promise<string | null> {
  const { messages, repository, replayed, lease } = dispatch;
  const evidence = new Evidence(dispatch.forge.read, repository);
  const item = await evidence.item(leadingOf([...messages])?.event.item?.number ?? dispatch.item.number);
  // guard: opt-out: in mid-run
  const out = item === null ? null : optOutReason(dispatch.forge.config, item);
  if (out !== null) return out;
  const withdrawn = await withdrawnFrom(dispatch, deps.trust, {
    messages,
    replayed,
    evidence,
    // Read now, because the run may have opened a pull request.
    joined: await itemsOf(deps.database.rows, lease),
  });
  const stillWanted = messages.some(({ id }) => !withdrawn.has(id));
  return stillWanted ? null : ([...withdrawn.values()].at(-1) ?? null);
}

/** Publishes nothing. Session and checkout stay for the next message. */
export async function stopWithdrawn(
  dispatch: Dispatch,
  deps: DispatchDeps,
  reason: string,
): Promise<Finished> {
  deps.log.info('run stopped, its work was taken back', { ...about(dispatch.lease), reason });
  await tellPeople(dispatch, deps, failureText({ kind: 'stopped', why: reason }));
  return finish({ state: 'cancelled', reason });
}
