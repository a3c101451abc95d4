/** "Why did it (not) run?", asked of a delivery or of an item: then every delivery about it, and what followed. */
import type { Rows } from '../database/database.ts';
import type { ConversationRow } from '../database/tables.ts';
import { NotFound } from '../errors.ts';
import { findDelivery } from '../inbox.ts';
import { type ItemInRepository, itemKeyOfConversation } from '../item-key.ts';
import { currentHolds } from '../mailbox/holds.ts';
import { oneLine } from '../terminal-text.ts';
import { type ConversationSummary, summarise } from './conversation-summary.ts';
import { type DeliveryList, deliveriesOfItem, kindsTold } from './deliveries.ts';
import { type DispatchView, dispatchRows, viewDispatches } from './dispatches.ts';
import { explainRow } from './explain.ts';
import type { DeliveryExplanation } from './explanation.ts';
import {
  conversationsOn,
  findConversations,
  type ItemReference,
  type Named,
  referenceOf,
} from './references.ts';

export interface ItemExplanation {
  item: { forge: string | null; repository: string; number: number };
  /** one for each agent that worked on it, with its dispatches, oldest first */
  conversations: (ConversationSummary & { dispatches: DispatchView[] })[];
  /** about it, and about what shares a conversation with it, newest first */
  deliveries: DeliveryList['deliveries'];
  total: number;
}

export type Explained = DeliveryExplanation | ItemExplanation;

export interface ExplainOptions {
  /** of an item: most deliveries */
  limit: number;
  now: number;
}

/** Throws NotFound where nothing has that name, Ambiguous where several have. */
export async function explain(rows: Rows, named: Named, options: ExplainOptions): Promise<Explained> {
  const reference = referenceOf(named);
  if (reference.kind === 'item') return await explainItem(rows, reference, options);
  // The forge's own ids may be in any case.
  const delivery = (await findDelivery(rows, reference.text)) ?? (await findDelivery(rows, reference.id));
  if (delivery !== undefined) return await explainRow(rows, delivery, options.now);
  const [conversation] = await findConversations(rows, reference);
  if (conversation !== undefined) return await explainItem(rows, itemReference(conversation), options);
  throw new NotFound(
    `Nothing is named by ${oneLine(reference.text)}. Give a delivery's id, ours or the forge's, 6 characters of it or more, ` +
      'or an item as owner/name#12 or its address; `claude-hooks deliveries` lists what arrived.',
  );
}

function itemReference(c: ConversationRow): ItemReference {
  const { forge, kind, number } = itemKeyOfConversation(c);
  return { kind: 'item', text: c.id, item: { forge, repository: c.repository_name, kind, number } };
}

async function explainItem(
  rows: Rows,
  reference: ItemReference,
  { limit, now }: ExplainOptions,
): Promise<ItemExplanation> {
  const { item } = reference;
  const { forge, repository, number } = item;
  const { kind, found } = await conversationsOn(rows, reference, await kindsTold(rows, item));
  const ids = found.map(({ id }) => id);
  const { deliveries, total } = await deliveriesOfItem(rows, {
    forge,
    repository,
    items: [{ kind, number }, ...(await itemsOf(rows, ids))],
    conversations: ids,
    limit,
  });
  if (total === 0 && found.length === 0) {
    throw new NotFound(
      `No delivery was about ${oneLine(reference.text)}, and no conversation is. Check the name and the number, and whether ` +
        'the forge sent anything: `claude-hooks deliveries` lists what arrived.',
    );
  }
  const summaries = await summarise(rows, found, { holds: await currentHolds(rows, now), now });
  const ran = await dispatchRows(rows, ids);
  const dispatches = Map.groupBy(await viewDispatches(rows, ran), (_, n) => ran[n]!.conversation_id);
  const conversations = summaries.map((s) => ({ ...s, dispatches: dispatches.get(s.id) ?? [] }));
  return { item: { forge, repository, number }, conversations, deliveries, total };
}

/** Of issues and pull requests that joined. */
async function itemsOf(rows: Rows, conversations: readonly string[]): Promise<ItemInRepository[]> {
  if (conversations.length === 0) return [];
  return await rows
    .selectFrom('conversation_items')
    .select(['kind', 'number'])
    .distinct()
    .where('conversation_id', 'in', [...conversations])
    .execute();
}
