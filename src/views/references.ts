/** What an operator may write to name an item, a conversation, a dispatch or a session: read in this one place. */
import type { Rows } from '../database/database.ts';
import type { ConversationRow } from '../database/tables.ts';
import { Ambiguous, type Candidate, NotFound } from '../errors.ts';
import { count, oneLine } from '../terminal-text.ts';

export type Reference =
  /** `forge` null: on whichever has it */
  | { kind: 'item'; text: string; forge: string | null; repository: string; number: number }
  /** an id of ours, or the beginning of one */
  | { kind: 'id'; text: string; id: string };

/** A text is read without the forges' addresses. */
export type Named = string | Reference;

/** `owner/name`, with the forge's name before it or without */
export const REPOSITORY = /^(?:([^:/#\s]+):)?([^:/#\s]+\/[^:/#\s]+)$/;

/** More digits are no number of an item, and PostgreSQL's integers end after them. */
const ITEM = /^(?:([^:/#\s]+):)?([^:/#\s]+\/[^:/#\s]+)#(\d{1,9})$/;

/** Of an issue or pull request, a comment on it or a tab of it; the forge may stand below a folder. */
const ADDRESS = /^https?:\/\/[^\s]*?\/([^/\s?#]+\/[^/\s?#]+)\/(?:issues|pulls)\/(\d{1,9})(?:[/?#][^\s]*)?$/i;

export function readReference(
  text: string,
  forges: Readonly<Record<string, { url: string }>> = {},
): Reference {
  const asked = text.trim();
  const item = ITEM.exec(asked);
  if (item !== null) {
    const [, forge = null, repository, number] = item;
    if (forge !== null && Object.keys(forges).length > 0 && !Object.hasOwn(forges, forge)) {
      const known = Object.keys(forges).join(', ');
      throw new NotFound(`No forge is called ${oneLine(forge)}. The configuration has ${known}.`);
    }
    return { kind: 'item', text: asked, forge, repository: repository!, number: Number(number) };
  }
  if (!/^https?:\/\//i.test(asked)) return { kind: 'id', text: asked, id: asked.toLowerCase() };
  const address = ADDRESS.exec(asked);
  if (address === null) {
    throw new NotFound(
      `${oneLine(asked)} is not the address of an issue or a pull request. Copy it from the page of one, as https://forge.example.org/owner/name/issues/12.`,
    );
  }
  const [, repository, number] = address;
  return {
    kind: 'item',
    text: asked,
    forge: forgeAt(asked, forges),
    repository: repository!,
    number: Number(number),
  };
}

/** null where no forge has this address: people often reach it by another one than the service does. */
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

/** The beginning of a UUID; nothing in it means anything to `like`. */
export function isPrefix(id: string): boolean {
  return id.length >= SHORTEST_PREFIX && /^[0-9a-f-]+$/.test(id);
}

const HOW =
  'Give its id, the first 6 characters of it or more, or the item as owner/name#12, forge:owner/name#12 or its address.';

export type IdKind = 'conversation' | 'dispatch' | 'session';

/**
 * Of an item, one for each agent that worked on it; of an id, the one that has it or whose dispatch or session does.
 * Empty where there is none. Throws Ambiguous where an id begins several.
 */
export async function findConversations(
  rows: Rows,
  named: Named,
  ids: readonly IdKind[] = ['conversation', 'dispatch', 'session'],
): Promise<ConversationRow[]> {
  const reference = referenceOf(named);
  if (reference.kind === 'item') return await byItem(rows, reference);
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
  const candidates = found.map((c) => ({ id: c.id, is: `${c.agent} on ${itemOf(c)}` }));
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
  return `${c.forge}:${oneLine(c.repository_name)}#${c.item_number}`;
}

async function byItem(rows: Rows, item: Extract<Reference, { kind: 'item' }>): Promise<ConversationRow[]> {
  const query = rows
    .selectFrom('conversation_items as i')
    .innerJoin('conversations as c', 'c.id', 'i.conversation_id')
    .selectAll('c')
    .where((e) => e.fn<string>('lower', ['c.repository_name']), '=', item.repository.toLowerCase())
    .where('i.number', '=', item.number)
    .orderBy('c.forge')
    .orderBy('c.agent');
  // guard: cli: the name of a forge counts in a reference
  return await (item.forge === null ? query : query.where('c.forge', '=', item.forge)).execute();
}

/** More would not help anybody to choose. */
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
