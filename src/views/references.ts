/** Reads what an operator writes to name an item, a conversation, a dispatch or a session. The one place that does. */
import type { Rows } from '../database/database.ts';
import type { ConversationRow } from '../database/tables.ts';
import { Ambiguous, type Candidate, NotFound } from '../errors.ts';
import { kindName, type NamedItem, printNamedItem, readItemAddress, readNamedItem } from '../item-key.ts';
import { count, oneLine } from '../terminal-text.ts';
import type { ItemKind } from '../vocabulary.ts';

export type Reference =
  | { kind: 'item'; text: string; item: NamedItem }
  /** an id of ours, or the beginning of one */
  | { kind: 'id'; text: string; id: string };

/** A text is read without the forges' addresses. */
export type Named = string | Reference;

/** `owner/name`, with the forge's name before it or without */
export const REPOSITORY = /^(?:([^:/#\s]+):)?([^:/#\s]+\/[^:/#\s]+)$/;

export function readReference(
  text: string,
  forges: Readonly<Record<string, { url: string }>> = {},
): Reference {
  const asked = text.trim();
  const item = readNamedItem(asked);
  if (item !== null) {
    const { forge } = item;
    if (forge !== null && Object.keys(forges).length > 0 && !Object.hasOwn(forges, forge)) {
      const known = Object.keys(forges).join(', ');
      throw new NotFound(`No forge is called ${oneLine(forge)}. The configuration has ${known}.`);
    }
    return { kind: 'item', text: asked, item };
  }
  if (!/^https?:\/\//i.test(asked)) return { kind: 'id', text: asked, id: asked.toLowerCase() };
  const address = readItemAddress(asked);
  if (address === null) {
    throw new NotFound(
      `${oneLine(asked)} is not the address of an issue or a pull request. Copy it from the page of one, as https://forge.example.org/owner/name/issues/12.`,
    );
  }
  return { kind: 'item', text: asked, item: { ...address, forge: forgeAt(asked, forges) } };
}

/** null where no forge has this address: people may reach the forge by another address than the service. */
function forgeAt(address: string, forges: Readonly<Record<string, { url: string }>>): string | null {
  const found = Object.entries(forges).find(([, { url }]) =>
    address.startsWith(`${url.replace(/\/+$/, '')}/`),
  );
  return found?.[0] ?? null;
}

export function referenceOf(named: Named): Reference {
  return typeof named === 'string' ? readReference(named) : named;
}

/** Fewer characters of an id would match by accident. */
const SHORTEST_PREFIX = 6;

/** Whether it may begin a UUID. It then has no character with a meaning in a `like` pattern. */
export function isPrefix(id: string): boolean {
  return id.length >= SHORTEST_PREFIX && /^[0-9a-f-]+$/.test(id);
}

const HOW =
  'Give its id, the first 6 characters of it or more, or the item as owner/name#12, forge:owner/name#12 or its address.';

export type IdKind = 'conversation' | 'dispatch' | 'session';

/**
 * Of an item, one for each agent that worked on it; of an id, the one that has it or whose dispatch or session does.
 * Empty where there is none. Throws Ambiguous where an id begins several, or a number alone is said of an issue and of a
 * pull request.
 */
export async function findConversations(
  rows: Rows,
  named: Named,
  ids: readonly IdKind[] = ['conversation', 'dispatch', 'session'],
): Promise<ConversationRow[]> {
  const reference = referenceOf(named);
  if (reference.kind === 'item') return (await conversationsOn(rows, reference)).found;
  const found = await byId(rows, reference.id, ids);
  // guard: cli: an ambiguous id is not the first that fits
  if (found.length > 1) throw severalOf(reference.text, found);
  return found;
}

/** As above; throws NotFound where there is none. */
export async function requireConversations(rows: Rows, named: Named): Promise<ConversationRow[]> {
  const found = await findConversations(rows, named);
  if (found.length > 0) return found;
  throw new NotFound(
    `No conversation is named by ${oneLine(referenceOf(named).text)}. ${HOW} \`claude-hooks conversations\` lists them.`,
  );
}

/** As above, where one is meant. Throws NotFound and Ambiguous. */
export async function requireOneConversation(rows: Rows, named: Named): Promise<ConversationRow> {
  const [first, ...others] = await requireConversations(rows, named);
  if (others.length > 0) throw severalOf(referenceOf(named).text, [first!, ...others]);
  return first!;
}

/** Where one is needed. Throws Ambiguous where several agents worked on the item. */
export async function findConversation(
  rows: Rows,
  named: Named,
  ids: readonly IdKind[],
): Promise<ConversationRow | undefined> {
  const found = await findConversations(rows, named, ids);
  if (found.length > 1) throw severalOf(referenceOf(named).text, found);
  return found[0];
}

function severalOf(text: string, found: readonly ConversationRow[]): Ambiguous {
  const kinds = new Set(found.map((c) => c.item_kind));
  const candidates = found.map((c) => {
    const item = kinds.size > 1 ? itemWithKind(c) : itemOf(c);
    return { id: c.id, is: `${c.agent} on ${item}` };
  });
  return ambiguous(text, 'conversation', candidates);
}

/** Says which, and how to name one of them. */
export function ambiguous(text: string, noun: string, candidates: readonly Candidate[]): Ambiguous {
  const each = candidates.map(({ id, is }) => `${id} (${is})`).join(', ');
  return new Ambiguous(
    `${oneLine(text)} names ${count(candidates.length, noun)}: ${each}. Name one of them by its id, or by enough of it.`,
    candidates,
  );
}

export function itemOf(c: Pick<ConversationRow, 'forge' | 'repository_name' | 'item_number'>): string {
  const repository = oneLine(c.repository_name);
  return printNamedItem({ forge: c.forge, repository, kind: null, number: c.item_number });
}

function itemWithKind(
  c: Pick<ConversationRow, 'forge' | 'repository_name' | 'item_number' | 'item_kind'>,
): string {
  const repository = oneLine(c.repository_name);
  return printNamedItem({ forge: c.forge, repository, kind: c.item_kind, number: c.item_number });
}

export type ItemReference = Extract<Reference, { kind: 'item' }>;

export interface KindOfNumber {
  forge: string;
  /** `owner/name` */
  repository: string;
  kind: ItemKind;
}

/**
 * Conversations on what the reference means, and its kind; null = either, because no forge has both. `told`: kinds that
 * others know of. Throws Ambiguous where a forge has both and the text says none.
 */
export async function conversationsOn(
  rows: Rows,
  { text, item }: ItemReference,
  told: readonly KindOfNumber[] = [],
): Promise<{ kind: ItemKind | null; found: ConversationRow[] }> {
  const found = await byNumber(rows, item);
  const known = found.map((c) => ({ forge: c.forge, repository: c.repository_name, kind: c.named_kind }));
  const kind = isShared(found) ? null : kindMeant(text, item, [...known, ...told]);
  const meant = found.filter((c) => kind === null || c.named_kind === kind);
  const byId = new Map(meant.map(({ named_kind: _, ...conversation }) => [conversation.id, conversation]));
  return { kind, found: [...byId.values()] };
}

/** Pull request 5 closes issue 5, so that both lead to the same conversations. */
function isShared(found: readonly { id: string; named_kind: ItemKind }[]): boolean {
  const idsOf = (kind: ItemKind) => found.filter((c) => c.named_kind === kind).map((c) => c.id);
  const [issues, pulls] = [idsOf('issue'), idsOf('pull')];
  return issues.length > 0 && issues.toSorted().join() === pulls.toSorted().join();
}

function kindMeant(text: string, item: NamedItem, kinds: readonly KindOfNumber[]): ItemKind | null {
  const issues = kinds.filter(({ kind }) => kind === 'issue');
  // guard: kind of an item: a number that may be either
  const both = issues.find(({ forge }) => kinds.some((k) => k.kind === 'pull' && k.forge === forge));
  if (both === undefined) return null;
  if (item.kind !== null) return item.kind;
  const { forge } = both;
  const repository = oneLine(both.repository);
  const candidates = (['issue', 'pull'] as const).map((kind) => ({
    id: printNamedItem({ forge, repository, kind, number: item.number }),
    is: `the ${kindName(kind)}`,
  }));
  const each = candidates.map(({ id, is }) => `${id} (${is})`).join(' and ');
  throw new Ambiguous(`${oneLine(text)} may be ${each}. Name the one you mean in this way.`, candidates);
}

async function byNumber(rows: Rows, item: NamedItem) {
  const query = rows
    .selectFrom('conversation_items as i')
    .innerJoin('conversations as c', 'c.id', 'i.conversation_id')
    .selectAll('c')
    .select('i.kind as named_kind')
    .where((e) => e.fn<string>('lower', ['c.repository_name']), '=', item.repository.toLowerCase())
    .where('i.number', '=', item.number)
    .orderBy('c.forge')
    .orderBy('c.agent');
  // guard: cli: the name of a forge counts in a reference
  return await (item.forge === null ? query : query.where('c.forge', '=', item.forge)).execute();
}

/** A longer list would not help to choose. */
const MOST_CANDIDATES = 20;

async function byId(rows: Rows, id: string, ids: readonly IdKind[]): Promise<ConversationRow[]> {
  const query = rows.selectFrom('conversations').selectAll();
  const exact = await query.where('id', '=', id).executeTakeFirst();
  if (exact !== undefined) return [exact];
  if (!isPrefix(id)) return [];
  const begins = `${id}%`;
  const owners = await Promise.all(
    ids.map(async (kind) => {
      if (kind === 'conversation') {
        return await rows
          .selectFrom('conversations')
          .select('id')
          .where('id', 'like', begins)
          .limit(MOST_CANDIDATES)
          .execute();
      }
      return await rows
        .selectFrom(kind === 'dispatch' ? 'dispatches' : 'sessions')
        .select('conversation_id as id')
        .distinct()
        .where('id', 'like', begins)
        .limit(MOST_CANDIDATES)
        .execute();
    }),
  );
  const all = [...new Set(owners.flat().map((owner) => owner.id))].slice(0, MOST_CANDIDATES);
  if (all.length === 0) return [];
  return await query.where('id', 'in', all).orderBy('updated_at', 'desc').orderBy('id').execute();
}

/** The sessions that an id begins, by their whole ids. */
export async function sessionsById(rows: Rows, id: string) {
  const query = rows.selectFrom('sessions').selectAll();
  const exact = await query.where('id', '=', id).execute();
  if (exact.length > 0 || !isPrefix(id)) return exact;
  return await query
    .where('id', 'like', `${id}%`)
    .orderBy('created_at', 'desc')
    .limit(MOST_CANDIDATES)
    .execute();
}
