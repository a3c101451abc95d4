/**
 * Texts that the model would not take: shown once, then named in the prompts and not shown again. One that is edited on
 * the forge is another text, and is read.
 */
import { createHash } from 'node:crypto';
import type { Database, Rows } from '../../database/database.ts';
import type { SetAsideRow } from '../../database/tables.ts';
import type { Forge } from '../../forges/forge.ts';
import { assertLease, type Lease } from '../../mailbox/leases.ts';
import { unrecordPrompt } from '../../sessions/unrecord.ts';
import type { DispatchContext } from './context.ts';

/** One text, as a key; a review has no id in its event, so its words are all there is. */
export type AsideKey = Pick<SetAsideRow, 'kind' | 'text_id' | 'digest'>;

const IN_ITS_PLACE =
  '[set aside by claude-hooks: the model would not take this text, so it is not shown. Ask for other words where it matters.]';

export async function readSetAside(rows: Rows, conversationId: string): Promise<ReadonlySet<string>> {
  const found = await rows
    .selectFrom('set_aside')
    .select(['kind', 'text_id', 'digest'])
    .where('conversation_id', '=', conversationId)
    .execute();
  return new Set(found.map(nameOf));
}

function keyOf(kind: AsideKey['kind'], id: number, text: string): AsideKey {
  const digest = createHash('sha256').update(text.trim()).digest('base64');
  return { kind, text_id: id, digest };
}

/** A bigint comes from PostgreSQL as a text. */
function nameOf({ kind, text_id, digest }: AsideKey): string {
  return `${kind} ${Number(text_id)} ${digest}`;
}

type Texts = Pick<DispatchContext, 'item' | 'comments' | 'reviews'>;

/** The same texts, of which those that were set aside are named only. */
function namedOnly(aside: ReadonlySet<string>) {
  const of = <T extends { body: string }>(kind: AsideKey['kind'], id: number, entry: T): T =>
    entry.body !== '' && aside.has(nameOf(keyOf(kind, id, entry.body)))
      ? { ...entry, body: IN_ITS_PLACE }
      : entry;
  const review = <T extends { body: string; inline: { id: number; body: string }[] }>(r: T): T => ({
    ...of('review', 0, r),
    inline: r.inline.map((c) => of('remark', c.id, c)),
  });
  return { of, review };
}

/** A client that answers a run's questions: what the prompts do not show, no tool shows either. */
export function forgeWithoutTexts<F extends Pick<Forge, 'getItem' | 'listComments' | 'listReviews'>>(
  forge: F,
  aside: ReadonlySet<string>,
): F {
  if (aside.size === 0) return forge;
  const { of, review } = namedOnly(aside);
  return {
    ...forge,
    getItem: async (...question) => {
      const item = await forge.getItem(...question);
      return of('item', item.number, item);
    },
    listComments: async (...question) =>
      // guard: set aside: by the tools as well
      (await forge.listComments(...question)).map((c) => of('comment', c.id, c)),
    listReviews: async (...question) => (await forge.listReviews(...question)).map(review),
  };
}

/** The same context, in which these texts are named only. */
export function withoutTexts(context: DispatchContext, aside: ReadonlySet<string>): DispatchContext {
  if (aside.size === 0) return context;
  const { of, review: reviewShown } = namedOnly(aside);
  const itemShown = ({ item, comments, reviews }: Texts) => ({
    item: of('item', item.number, item),
    comments: comments.map((c) => of('comment', c.id, c)),
    reviews: reviews.map(reviewShown),
  });
  const message = (m: DispatchContext['messages'][number]): DispatchContext['messages'][number] => {
    const { item, comment, review } = m.event;
    return {
      ...m,
      event: {
        ...m.event,
        item: item === null ? null : of('item', item.number, item),
        comment: comment === null ? null : of('comment', comment.id, comment),
        review: review === null ? null : of('review', 0, review),
      },
    };
  };
  const messages = context.messages.map(message);
  const at = context.messages.findIndex(({ id }) => id === context.leading?.id);
  return {
    ...context,
    ...itemShown(context),
    elsewhere: context.elsewhere.map((other) => ({ ...other, ...itemShown(other) })),
    messages,
    leading: context.leading === null ? null : (messages[at] ?? message(context.leading)),
  };
}

/** The texts for which the agent was woken; of an event without words of its own, the description. */
export function textsThatWoke({ messages, ...context }: DispatchContext): AsideKey[] {
  const reviews = [context, ...context.elsewhere].flatMap((shown) => shown.reviews);
  return messages.flatMap(({ event: { item, comment, review } }) => {
    if (comment !== null) return [keyOf('comment', comment.id, comment.body)];
    if (review !== null) {
      const remarks = reviews.filter((r) => r.body === review.body).flatMap((r) => r.inline);
      return [
        keyOf('review', 0, review.body),
        ...remarks.map((remark) => keyOf('remark', remark.id, remark.body)),
      ];
    }
    return item === null ? [] : [keyOf('item', item.number, item.body)];
  });
}

/** Every text of the item. */
function allTexts(context: DispatchContext): AsideKey[] {
  return [context, ...context.elsewhere].flatMap(({ item, comments, reviews }) => [
    keyOf('item', item.number, item.body),
    ...comments.map((c) => keyOf('comment', c.id, c.body)),
    ...reviews.flatMap((r) => [
      keyOf('review', 0, r.body),
      ...r.inline.map((remark) => keyOf('remark', remark.id, remark.body)),
    ]),
  ]);
}

export function asideSet(keys: readonly AsideKey[]): ReadonlySet<string> {
  return new Set(keys.map(nameOf));
}

/**
 * Stores what is set aside, and takes it out of the record. `isSure`: the text is the cause, and not something else. When
 * the agent was refused before and has answered nothing since, it was another text of the item: then all of them are set
 * aside, so that a third comment is read.
 */
export async function setTextsAside(
  database: Database,
  lease: Lease,
  o: { context: DispatchContext; why: string; answered: boolean; isSure?: boolean; now: number },
): Promise<{ all: boolean }> {
  return await database.transaction(async (tx) => {
    await assertLease(tx, lease);
    const all = o.isSure === true && (await wasRefusedBefore(tx, lease));
    const keys = all ? allTexts(o.context) : textsThatWoke(o.context);
    for (const key of keys) {
      await tx
        .insertInto('set_aside')
        .values({
          ...key,
          conversation_id: lease.conversation.id,
          dispatch_id: lease.dispatch.id,
          why: o.why.slice(0, 500),
          at: o.now,
        })
        .onConflict((c) => c.doNothing())
        .execute();
    }
    await unrecordPrompt(tx, {
      conversationId: lease.conversation.id,
      dispatchId: lease.dispatch.id,
      answered: o.answered,
    });
    return { all };
  });
}

async function wasRefusedBefore(tx: Rows, { conversation, dispatch }: Lease): Promise<boolean> {
  const last = await tx
    .selectFrom('dispatches')
    .select('id')
    .where('conversation_id', '=', conversation.id)
    .where('id', '!=', dispatch.id)
    .where('state', 'in', ['succeeded', 'failed'])
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (last === undefined) return false;
  const refused = await tx
    .selectFrom('set_aside as a')
    .innerJoin('dispatches as d', 'd.id', 'a.dispatch_id')
    .select('a.digest')
    .where('a.conversation_id', '=', conversation.id)
    .where('a.dispatch_id', '=', last.id)
    .where('d.state', '=', 'failed')
    .executeTakeFirst();
  return refused !== undefined;
}
