/**
 * Hands people's words to the run that is under way. Each message is carried by the dispatch before its words are handed
 * over, and counts as read only when it stands in the transcript; the others wait for the next dispatch.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PromptPicture, SteeredRun } from '../../agent-runner/live-input.ts';
import type { DispatchRun } from '../../agent-runner/run.ts';
import { LeaseLost } from '../../errors.ts';
import { faultPoint } from '../../faults.ts';
import { carryHanded, noteTaken, steeringMessages } from '../../mailbox/handing.ts';
import type { CarriedRow } from '../../mailbox/leases.ts';
import { recordTurn } from '../../sessions/record.ts';
import type { DispatchDeps } from '../dispatch.ts';
import type { CarriedMessage } from '../gather/messages.ts';
import type { Prepared } from '../screen/context.ts';
import { withSeen } from '../seen-items.ts';
import { about } from '../settle/told.ts';
import { seenAfter } from './announced.ts';
import { readNews } from './news.ts';
import type { SessionMarks } from './session-marks.ts';

export interface Steering {
  /** for one attempt of the run */
  run: NonNullable<DispatchRun['steer']>;
  /** what was handed over so far */
  messages(): CarriedMessage[];
  /** `heard`: ids of the inputs in the transcript; null = it could not be read, and what the CLI said of them counts */
  ended(heard: readonly string[] | null): Steered;
}

export interface Steered {
  /** with what the run has read besides its prompt */
  dispatch: Prepared;
  /** ids of messages that the run has not read */
  unheard: string[];
}

export interface SteeringRequest {
  dispatch: Prepared;
  marks: SessionMarks;
  /** the words to hand over, and whose they are */
  wordsOf: (news: Prepared) => Promise<{
    text: string;
    pictures: readonly PromptPicture[];
    spoken: Parameters<SessionMarks['hear']>[0];
  }>;
}

/** The router of this process gives a hint; this is for another process, as a command's. */
const LOOK_EVERY_MS = 500;
const AGAIN_AFTER_MS = 2000;

/** What was, or is to be, handed over at once. */
interface Handover {
  input: string;
  text: string | null;
  pictures: readonly PromptPicture[];
  rows: CarriedRow[];
  news: Prepared;
  taken: boolean;
}

export function steering({ dispatch, marks, wordsOf }: SteeringRequest, deps: DispatchDeps): Steering {
  const { lease } = dispatch;
  const all: Handover[] = [];
  const seenSoFar = () => all.reduce((seen, { news }) => seenIn(seen, news), seenAfter(dispatch));

  const hand = async (run: SteeredRun, handover: Handover): Promise<void> => {
    const ids = handover.rows.map(({ id }) => id);
    const input = handover.text === null ? null : handover.input;
    const carried = await carryHanded(deps.database, lease, { messages: ids, input, now: deps.now() });
    faultPoint('steer.carried');
    if (handover.text === null || carried.length === 0) return;
    const isHanded = run.hand({ id: handover.input, text: handover.text, pictures: handover.pictures });
    faultPoint('steer.handed');
    deps.log.info(isHanded ? 'words handed to the run under way' : 'the run has ended, its words wait', {
      ...about(lease),
      messages: ids.length,
    });
  };

  const look = async (run: SteeredRun): Promise<void> => {
    const known = new Set(all.flatMap(({ rows }) => rows.map(({ id }) => id)));
    const waiting = (await steeringMessages(deps.database.rows, lease.conversation.id)).filter(
      ({ id }) => !known.has(id),
    );
    if (waiting.length === 0) return;
    const news = await readNews(dispatch, deps, { rows: waiting, seen: seenSoFar() });
    if (news === null) return;
    const rows = waiting.filter(({ id }) => news.messages.includes(id));
    const isNew = news.dispatch.context.leading !== null;
    const words = isNew ? await wordsOf(news.dispatch) : null;
    // guard: steering: words mark the session before they are handed over
    if (words !== null) await marks.hear(words.spoken, new Set(news.dispatch.messages.map(senderOf)));
    const handover = {
      input: randomUUID(),
      text: words?.text ?? null,
      pictures: words?.pictures ?? [],
      rows,
      news: news.dispatch,
      taken: false,
    };
    all.push(handover);
    await hand(run, handover);
  };

  return {
    run: (run) => {
      const stopped = new AbortController();
      run.onTaken(async (input) => {
        const handover = all.find((one) => one.input === input);
        if (handover?.text == null) return;
        handover.taken = true;
        await noteTaken(deps.database, lease, { input, now: deps.now() });
        const { dispatchId, conversationId } = dispatch.key;
        const turn = {
          dispatchId,
          conversationId,
          kind: 'prompt' as const,
          content: handover.text,
          uuid: input,
        };
        await recordTurn(deps.database.rows, { ...turn, now: deps.now() });
        faultPoint('steer.taken');
      });
      const looking = (async () => {
        // An earlier attempt of this run may have ended before its words were in the history.
        for (const handover of all) {
          handover.input = randomUUID();
          handover.taken = false;
          await hand(run, handover);
        }
        let known = 0;
        for (;;) {
          await dispatch.routed.wait(LOOK_EVERY_MS, { known, signal: stopped.signal });
          known = dispatch.routed.given;
          try {
            await look(run);
          } catch (error) {
            if (error instanceof LeaseLost) return;
            deps.log.warn('what was said could not be handed to the run, trying again', {
              ...about(lease),
              error: String(error),
            });
            await sleep(AGAIN_AFTER_MS, undefined, { signal: stopped.signal, ref: false });
          }
        }
      })().catch((error: unknown) => {
        if (!stopped.signal.aborted)
          deps.log.error('steering ended', { ...about(lease), error: String(error) });
      });
      return {
        stop: async () => {
          stopped.abort();
          await looking;
        },
      };
    },
    messages: () => all.flatMap(({ news }) => news.messages),
    ended: (heard) => {
      const { read, unread } = splitHeard(all, heard);
      return {
        dispatch: withHeard(dispatch, read),
        unheard: unread.flatMap(({ rows }) => rows.map(({ id }) => id)),
      };
    },
  };
}

/** What follows one that was not heard may have been left out because that one would have told it. */
export function splitHeard<H extends Pick<Handover, 'input' | 'text' | 'taken'>>(
  all: readonly H[],
  heard: readonly string[] | null,
): { read: readonly H[]; unread: readonly H[] } {
  const isHeard = ({ input, text, taken }: H) =>
    text === null || (heard === null ? taken : heard.includes(input));
  const first = all.findIndex((one) => !isHeard(one));
  // guard: steering: what was not read waits
  return first === -1 ? { read: all, unread: [] } : { read: all.slice(0, first), unread: all.slice(first) };
}

function senderOf({ event }: CarriedMessage): number {
  return event.sender.id;
}

function seenIn(seen: string, { context }: Prepared): string {
  return withSeen(seen, [context, ...context.elsewhere]);
}

function withHeard(dispatch: Prepared, read: readonly Handover[]): Prepared {
  const { lease } = dispatch;
  return {
    ...dispatch,
    lease: { ...lease, messages: [...lease.messages, ...read.flatMap(({ rows }) => rows)] },
    messages: [...dispatch.messages, ...read.flatMap(({ news }) => news.messages)],
    later: read.flatMap(({ news }) => [news.context, ...news.context.elsewhere]),
  };
}
