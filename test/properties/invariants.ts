/** What must hold of the rows after every step, and of every change between two looks at them. */
import { type Drawing, Drawing as drawn } from './drawing.ts';
import { groupBy, type Look, WAITING } from './rows.ts';

/** `step`: one transaction lies between the two looks; `several`: any number, also of several workers at once. */
export type Distance = 'step' | 'several';

const MACHINES = {
  deliveries: new drawn('Delivery'),
  dispatches: new drawn('Dispatch'),
  messages: new drawn('Message'),
  sessions: new drawn('Session'),
} as const;

/** Sentences about what is wrong; none when all is well. */
export function violations(before: Look, after: Look, distance: Distance): string[] {
  return [
    ...dispatchesPerConversation(after),
    ...messagesHaveAPlace(after),
    ...chains(after),
    ...answersAreProven(after),
    ...leases(before, after),
    ...meanings(after),
    ...wordsTakenBack(before, after),
    ...effects(before, after),
    ...decisionsStand(before, after),
    ...itemsOnlyGrowNewer(before, after),
    ...transitions(before, after, distance),
  ];
}

function dispatchesPerConversation({ dispatches }: Look): string[] {
  return [...groupBy(dispatches, (d) => d.conversation_id)].flatMap(([id, all]) => {
    const running = all.filter((d) => d.state === 'running').length;
    const waiting = all.filter((d) => WAITING.includes(d.state)).length;
    return [
      ...(running > 1 ? [`conversation ${id} has ${running} running dispatches`] : []),
      ...(waiting > 1 ? [`conversation ${id} has ${waiting} waiting dispatches`] : []),
    ];
  });
}

function messagesHaveAPlace({ messages, dispatches }: Look): string[] {
  const byId = new Map(dispatches.map((d) => [d.id, d]));
  const comes = new Set(dispatches.filter((d) => WAITING.includes(d.state)).map((d) => d.conversation_id));
  return messages.flatMap((message) => {
    const dispatch = message.dispatch_id === null ? undefined : byId.get(message.dispatch_id);
    const of = `message ${message.id} is ${message.state}`;
    if (dispatch !== undefined && dispatch.conversation_id !== message.conversation_id) {
      return [`${of} in a dispatch of another conversation`];
    }
    switch (message.state) {
      case 'waiting':
        if (dispatch !== undefined) return [`${of} and still in dispatch ${dispatch.id}`];
        return comes.has(message.conversation_id) ? [] : [`${of}, and no dispatch is to come for it`];
      case 'carried':
        return dispatch?.state === 'running' ? [] : [`${of} by dispatch that is ${dispatch?.state}`];
      case 'answered':
        return dispatch?.state === 'succeeded' ? [] : [`${of} by a dispatch that is ${dispatch?.state}`];
      default:
        return dispatch === undefined || ['failed', 'cancelled'].includes(dispatch.state)
          ? []
          : [`${of} by a dispatch that is ${dispatch.state}`];
    }
  });
}

function chains({ sessions }: Look): string[] {
  return [...groupBy(sessions, (s) => s.conversation_id)].flatMap(([id, chain]) => {
    const live = chain.filter((s) => s.state === 'proposed' || s.state === 'verified');
    const wrong = chain.flatMap((session, index) => {
      const next = chain[index + 1]?.id ?? null;
      const of = `session ${session.id} of conversation ${id}`;
      return [
        ...(session.ordinal === index + 1
          ? []
          : [`${of} is number ${session.ordinal} at place ${index + 1}`]),
        ...(session.replaced_by === next
          ? []
          : [`${of} points to ${session.replaced_by}, after it is ${next}`]),
        ...(session.state === 'replaced' && next === null ? [`${of} is replaced by nothing`] : []),
        ...(session.state === 'verified' && session.head === null
          ? [`${of} is verified without a head`]
          : []),
        ...(live.includes(session) && next !== null ? [`${of} is ${session.state} and not the newest`] : []),
      ];
    });
    return [...wrong, ...(live.length > 1 ? [`conversation ${id} has ${live.length} live sessions`] : [])];
  });
}

/** Every lease has a number of its own: whoever holds an older one can be told apart, also from itself. */
function leases(before: Look, after: Look): string[] {
  const earlier = new Map(before.conversations.map((c) => [c.id, c.lease_token]));
  const running = new Map(
    after.dispatches.filter((d) => d.state === 'running').map((d) => [d.conversation_id, d]),
  );
  return after.conversations.flatMap((c) => {
    const rise = c.lease_token - (earlier.get(c.id) ?? 0);
    const leased = timesLeased(after, c.id) - timesLeased(before, c.id);
    const run = running.get(c.id);
    return [
      ...(rise < leased
        ? [`conversation ${c.id} was leased ${leased} times, its token rose by ${rise}`]
        : []),
      ...((run?.worker ?? null) === c.lease_worker
        ? []
        : [`conversation ${c.id} is leased to ${c.lease_worker} and run by ${run?.worker}`]),
    ];
  });
}

function timesLeased({ dispatches }: Look, conversationId: string): number {
  return dispatches.reduce((sum, d) => sum + (d.conversation_id === conversationId ? d.attempt : 0), 0);
}

/** One happening wakes an agent once, however often it is told; only an operator's replay tells it anew. */
function meanings({ deliveries, messages, events }: Look): string[] {
  const byId = new Map(deliveries.map((d) => [d.id, d]));
  const told = messages.filter((m) => byId.get(m.delivery_id)?.source === 'webhook');
  const factsOf = readerOf(events);
  const twice = [...groupBy(told, (m) => `${m.conversation_id} ${factsOf(m).semanticKey}`)]
    .filter(([, all]) => all.length > 1)
    .map(([key, all]) => `${all.length} messages in one mailbox say ${key}`);
  const firsts = new Set(events.filter((e) => e.semantic_key !== null).map((e) => e.delivery_id));
  const lost = deliveries
    .filter((d) => d.state === 'duplicate' && (!firsts.has(d.duplicate_of!) || d.duplicate_of === d.id))
    .map((d) => `delivery ${d.id} is a duplicate of ${d.duplicate_of}, which was not the first`);
  const sameMailbox = [...groupBy(messages, (m) => `${m.conversation_id} ${m.delivery_id}`)]
    .filter(([, all]) => all.length > 1)
    .map(([key]) => `one delivery speaks twice in one mailbox: ${key}`);
  return [...twice, ...lost, ...sameMailbox];
}

/** A comment that was deleted wakes nobody any more, whichever of the two was routed first. */
function wordsTakenBack(before: Look, after: Look): string[] {
  const waited = new Map(before.messages.map((m) => [m.id, m.state === 'waiting']));
  const replays = new Set(after.deliveries.filter((d) => d.source === 'replay').map((d) => d.id));
  const wasDeleted = deletedComments(before);
  const isDeleted = deletedComments(after);
  const factsOf = readerOf(after.events);
  return after.messages.flatMap((message) => {
    const { comment } = factsOf(message);
    const was = waited.get(message.id);
    if (comment === null || replays.has(message.delivery_id)) return [];
    const late = was === undefined && wasDeleted.has(comment);
    const left =
      was === true && message.state === 'waiting' && isDeleted.has(comment) && !wasDeleted.has(comment);
    return late || left ? [`message ${message.id} waits, and its comment was deleted before`] : [];
  });
}

function deletedComments({ events }: Look): Set<number> {
  const found = events.map((e) => /:comment\.deleted:comment:(\d+):/.exec(e.semantic_key ?? '')?.[1]);
  return new Set(found.filter((id) => id !== undefined).map(Number));
}

/** The proof that a session can be resumed is committed with the answer, or the session is given up before. */
function answersAreProven({ dispatches, sessions }: Look): string[] {
  const proposed = new Set(sessions.filter((s) => s.state === 'proposed').map((s) => s.id));
  return dispatches
    .filter((d) => d.answer !== null && proposed.has(d.session_id!))
    .map((d) => `dispatch ${d.id} has its answer, and session ${d.session_id} is only proposed`);
}

interface Facts {
  semanticKey: string;
  comment: number | null;
}

const facts = new Map<string, Facts>();

/** Parsed once for each event that has a message: the looks are many. */
function readerOf(events: Look['events']): (message: Look['messages'][number]) => Facts {
  const byId = new Map(events.map((e) => [e.id, e]));
  return ({ event_id }) => {
    const known = facts.get(event_id);
    if (known !== undefined) return known;
    const event = JSON.parse(byId.get(event_id)!.event!) as {
      semanticKey: string;
      comment: { id: number } | null;
    };
    const found = { semanticKey: event.semanticKey, comment: event.comment?.id ?? null };
    facts.set(event_id, found);
    return found;
  };
}

function effects(before: Look, after: Look): string[] {
  const earlier = new Map(before.effects.map((e) => [e.id, e]));
  const twice = [...groupBy(after.effects, (e) => e.key)]
    .filter(([, all]) => all.length > 1)
    .map(([key, all]) => `effect ${key} has ${all.length} rows`);
  const changed = after.effects.flatMap((effect) => {
    const was = earlier.get(effect.id);
    if (was === undefined || was.state === 'planned' || was.state === effect.state) return [];
    return [`effect ${effect.key} was ${was.state} and is ${effect.state}`];
  });
  return [...twice, ...changed];
}

function decisionsStand(before: Look, after: Look): string[] {
  const now = new Map(after.deliveries.map((d) => [d.id, d]));
  return before.deliveries.flatMap((was) => {
    const is = now.get(was.id);
    if (is === undefined) return [`delivery ${was.id} is gone`];
    const same = JSON.stringify(is) === JSON.stringify(was);
    if (is.state === 'received' && is.attempts > 4) return [`delivery ${is.id} is tried for ever`];
    return was.state === 'received' || same ? [] : [`delivery ${was.id} was decided a second time`];
  });
}

/** Deliveries come in any order; what is remembered of an item is from its newest. */
function itemsOnlyGrowNewer(before: Look, after: Look): string[] {
  const keyOf = (i: Look['items'][number]) => `${i.forge} ${i.repository_id} ${i.kind} ${i.number}`;
  const earlier = new Map(before.items.map((i) => [keyOf(i), i.occurred_at]));
  return after.items
    .filter((i) => Date.parse(i.occurred_at) < Date.parse(earlier.get(keyOf(i)) ?? ''))
    .map((i) => `item ${keyOf(i)} went back from ${earlier.get(keyOf(i))} to ${i.occurred_at}`);
}

function transitions(before: Look, after: Look, distance: Distance): string[] {
  return (Object.keys(MACHINES) as (keyof typeof MACHINES)[]).flatMap((table) => {
    const drawing = MACHINES[table];
    const earlier = new Map(before[table].map((row) => [row.id, row.state as string]));
    return after[table].flatMap((row) => {
      const from = earlier.get(row.id) ?? '[*]';
      return isDrawn(drawing, { from, to: row.state, distance })
        ? []
        : [`${table}: ${row.id} went from ${from} to ${row.state}, which docs/states.md does not draw`];
    });
  });
}

function isDrawn(drawing: Drawing, change: { from: string; to: string; distance: Distance }): boolean {
  const { from, to, distance } = change;
  return distance === 'step' ? drawing.allows(from, to) : drawing.leads(from, to);
}

/** When nothing comes any more and every worker does its work, everything comes to its end. */
export function unsettled(look: Look): string[] {
  return (['deliveries', 'dispatches', 'messages'] as const).flatMap((table) =>
    look[table]
      .filter((row) => !MACHINES[table].isFinal(row.state))
      .map((row) => `${table}: ${row.id} is ${row.state} for ever`),
  );
}

/** Tables an old holder of a lease may not touch. Effects are not among them: what was done is noted as done. */
const HELD = ['deliveries', 'items', 'conversations', 'messages', 'dispatches', 'sessions'] as const;

export function writtenByOldHolder(before: Look, after: Look): string[] {
  return HELD.filter((table) => JSON.stringify(before[table]) !== JSON.stringify(after[table])).map(
    (table) => `a worker that had lost its lease changed ${table}`,
  );
}
