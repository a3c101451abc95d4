/**
 * What the rows say that a decision rests on. It is read once before the decision, and once more by the transaction that
 * writes it: when the two are equal, nothing has happened in between that could change the decision.
 */
import type { Rows } from '../database/database.ts';
import type { DeliveryRow, ItemRow } from '../database/tables.ts';
import { likenessOf, slackOf } from '../forges/likeness.ts';
import { deletionKey } from '../forges/new-event.ts';
import type { ItemInRepository } from '../item-key.ts';
import { closedIssues } from '../mailbox/conversations.ts';
import { conversationsToldOf, type WaitingMessage, waitingOfComment } from '../mailbox/messages.ts';
import type { EventItem, ForgeEvent } from '../vocabulary.ts';
import { type Located, locate } from './locating.ts';

export interface Standing {
  /** nobody has decided the delivery */
  isUndecided: boolean;
  /** the same event, as another delivery told it first; null = none did */
  first: { event: string; delivery: string } | null;
  /** somebody told that the event's comment was deleted */
  isDeleted: boolean;
  /** the item that a CI run belongs to which names none; null = it names one, or belongs to none */
  located: Located | null;
  /** what was last seen of the item */
  item: SeenItem | null;
  /** on the item itself, and on the issues that the text of a pull request closes */
  conversations: StandingConversation[];
  /** messages about a comment that was deleted */
  waiting: WaitingMessage[];
  /** conversations on the item that have been told of this failure of CI */
  told: string[];
}

export type SeenItem = Pick<ItemRow, 'labels' | 'assignees' | 'occurred_at'>;

export interface StandingConversation {
  id: string;
  agent: string;
  /** the item on which it was found */
  on: ItemInRepository;
  /** of the item that it began on */
  itemNumber: number;
  repositoryName: string;
  branch: string | null;
  /** dispatches that succeeded */
  dispatches: number;
}

export interface StandingQuestion {
  delivery: Pick<DeliveryRow, 'id' | 'source'>;
  event: ForgeEvent;
}

export async function readStanding(rows: Rows, question: StandingQuestion): Promise<Standing> {
  const { delivery, event } = question;
  const located = await locate(rows, event);
  const item = event.item ?? located;
  const found = await readRows(rows, question, item);
  const [row] = found;
  const conversations = found.flatMap(conversationIn);
  const isDeleted = row?.deleted_by != null;
  const isAboutDeletion = event.comment !== null && (isDeleted || event.name === 'comment.deleted');
  const isFailure = event.name === 'ci.failed' && delivery.source !== 'replay';
  return {
    isUndecided: row !== undefined,
    first: firstIn(row),
    isDeleted,
    located,
    item: row?.occurred_at == null ? null : seenIn(row),
    conversations,
    waiting: isAboutDeletion ? await waitingOfComment(rows, placeOf(event)) : [],
    told: isFailure
      ? await conversationsToldOf(rows, {
          event,
          isLook: delivery.source === 'look',
          conversations: conversations.map(({ id }) => id),
        })
      : [],
  };
}

function firstIn(row: FoundRow | undefined): Standing['first'] {
  if (row?.first_event != null) return { event: row.first_event, delivery: row.first_delivery! };
  if (row?.alike_event != null) return { event: row.alike_event, delivery: row.alike_delivery! };
  return null;
}

/** No item has it. */
const NO_NUMBER = 0;

type FoundRow = Awaited<ReturnType<typeof readRows>>[number];

/** One statement, because most deliveries want nobody and this is all that they cost: a row for each conversation, or one. */
async function readRows(rows: Rows, question: StandingQuestion, item: ItemInRepository | null) {
  const { delivery, event } = question;
  const like = likenessAskedFor(question);
  const number = item?.number ?? NO_NUMBER;
  const numbers = [...new Set([number, ...issuesClosedBy(event.item)])];
  const repository = event.repository.id;
  return await rows
    .selectFrom('deliveries as d')
    .leftJoin('events as first', (join) =>
      join
        .onRef('first.forge', '=', 'd.forge')
        .on('first.semantic_key', '=', event.semanticKey)
        .onRef('first.delivery_id', '!=', 'd.id'),
    )
    // Of the same happening, as the reconciler found it: it may know another second, or a newer text.
    .leftJoin('events as alike', (join) =>
      join
        .onRef('alike.delivery_id', '!=', 'd.id')
        .on((e) =>
          e(
            'alike.id',
            '=',
            e
              .selectFrom('event_likenesses as l')
              .select('l.event_id')
              .where('l.forge', '=', event.forge)
              .where('l.likeness', '=', like.likeness)
              .where('l.at', '>=', like.from)
              .where('l.at', '<=', like.to)
              .orderBy('l.at')
              .limit(1),
          ),
        ),
    )
    .leftJoin('events as deletion', (join) =>
      join.onRef('deletion.forge', '=', 'd.forge').on('deletion.semantic_key', '=', deletionKey(event) ?? ''),
    )
    .leftJoin('items as i', (join) =>
      join
        .onRef('i.forge', '=', 'd.forge')
        .on('i.repository_id', '=', repository)
        .on('i.number', '=', number)
        .on('i.kind', '=', item?.kind ?? 'issue'),
    )
    .leftJoin('conversation_items as n', (join) =>
      join
        .onRef('n.forge', '=', 'd.forge')
        .on('n.repository_id', '=', repository)
        .on('n.number', 'in', numbers),
    )
    .leftJoin('conversations as c', 'c.id', 'n.conversation_id')
    .select(['first.id as first_event', 'first.delivery_id as first_delivery'])
    .select(['alike.id as alike_event', 'alike.delivery_id as alike_delivery'])
    .select('deletion.id as deleted_by')
    .select(['i.labels', 'i.assignees', 'i.occurred_at'])
    .select(['c.id', 'c.agent', 'c.branch', 'c.repository_name', 'c.item_number', 'n.number', 'n.kind'])
    .select((e) =>
      e
        .selectFrom('dispatches as s')
        .select((s) => s.fn.countAll<number>().as('count'))
        .whereRef('s.conversation_id', '=', 'c.id')
        .where('s.state', 'in', ['succeeded', 'unposted'])
        .as('dispatches'),
    )
    .where('d.id', '=', delivery.id)
    .where('d.state', '=', 'received')
    .orderBy('n.number')
    .orderBy('n.kind')
    .orderBy('n.agent')
    .execute();
}

/** What the reconciler finds itself has been compared before it was written. */
function likenessAskedFor({ delivery, event }: StandingQuestion) {
  // guard: reconciler: a late webhook is no second event
  const likeness = delivery.source === 'webhook' ? (likenessOf(event) ?? '') : '';
  const saidAt = Date.parse(event.occurredAt);
  const { earlier, later } = slackOf(event.name);
  if (Number.isNaN(saidAt)) return { likeness, from: 0, to: Number.MAX_SAFE_INTEGER };
  const to = Math.min(saidAt + earlier, Number.MAX_SAFE_INTEGER);
  return { likeness, from: Math.max(0, saidAt - later), to };
}

function issuesClosedBy(item: EventItem | null): number[] {
  return item?.kind === 'pull' ? closedIssues(item.body) : [];
}

function conversationIn(row: FoundRow): StandingConversation[] {
  if (row.id === null) return [];
  return [
    {
      id: row.id,
      agent: row.agent!,
      on: { kind: row.kind!, number: row.number! },
      itemNumber: row.item_number!,
      repositoryName: row.repository_name!,
      branch: row.branch,
      dispatches: Number(row.dispatches),
    },
  ];
}

function seenIn({ labels, assignees, occurred_at }: FoundRow): SeenItem {
  return { labels: labels!, assignees: assignees!, occurred_at: occurred_at! };
}

function placeOf({ forge, repository, comment }: ForgeEvent) {
  return { forge, repositoryId: repository.id, commentId: comment!.id };
}
