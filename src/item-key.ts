/**
 * The key of an issue or pull request. This is the only type for it, and the only place that prints and reads it.
 *
 * The kind belongs to the key, because a forge may number issues and pull requests apart: its issue 5 and its pull
 * request 5 are two items. Other forges number them together; there a number has one kind, and the forge's parser says
 * which, whatever the delivery is called (a comment on a pull request arrives as `issue_comment`).
 */
import type { ItemKind, RepositoryRef } from './vocabulary.ts';

export interface ItemKey {
  /** the configured name of the forge */
  forge: string;
  repositoryId: string;
  kind: ItemKind;
  number: number;
}

/** Within one repository. */
export type ItemInRepository = Pick<ItemKey, 'kind' | 'number'>;

export function itemKey(
  place: { forge: string; repository: Pick<RepositoryRef, 'id'> },
  { kind, number }: ItemInRepository,
): ItemKey {
  return { forge: place.forge, repositoryId: place.repository.id, kind, number };
}

/** The key of a conversation's own item, from its row. */
export function itemKeyOfConversation(row: {
  forge: string;
  repository_id: string;
  item_kind: ItemKind;
  item_number: number;
}): ItemKey {
  return { forge: row.forge, repositoryId: row.repository_id, kind: row.item_kind, number: row.item_number };
}

export function isSameItem(a: ItemInRepository, b: ItemInRepository): boolean {
  return a.kind === b.kind && a.number === b.number;
}

/** In words for people. */
export function kindName(kind: ItemKind): string {
  return kind === 'pull' ? 'pull request' : 'issue';
}

/** `issue/5`, `pull/5`: for tables that are kept by item within one repository. */
export function printItem({ kind, number }: ItemInRepository): string {
  return `${kind}/${number}`;
}

/**
 * An item as people name it, by the name of its repository. `kind` is null where they gave only the number. A forge
 * may redirect from one kind of page to the other, so a page's kind counts only where the repository has both items.
 */
export interface NamedItem {
  /** null = on whichever forge has it */
  forge: string | null;
  /** `owner/name` */
  repository: string;
  kind: ItemKind | null;
  number: number;
}

/** The part of an address that stands for each kind. */
const PAGES: Readonly<Record<ItemKind, string>> = { issue: 'issues', pull: 'pulls' };

const REPOSITORY = String.raw`([^:/#\s?]+\/[^:/#\s?]+)`;
/** Longer numbers are not items, and PostgreSQL's integers end there. */
const NUMBER = String.raw`(\d{1,9})`;
const PAGE = `(${Object.values(PAGES).join('|')})`;

/** `owner/name#5` or `owner/name/pulls/5`, with or without the forge's name before it. */
const WRITTEN = new RegExp(`^(?:([^:/#\\s]+):)?${REPOSITORY}(?:#|/${PAGE}/)${NUMBER}$`);

/**
 * The address of an issue or pull request, of a comment on it or of a tab of it; the forge may be in a subfolder.
 */
const ADDRESS = new RegExp(`^https?://\\S*?/([^/\\s?#]+/[^/\\s?#]+)/${PAGE}/${NUMBER}(?:[/?#]\\S*)?$`, 'i');

/** null = the text names no item in this form. */
export function readNamedItem(text: string): NamedItem | null {
  const [, forge = null, repository, page, number] = WRITTEN.exec(text) ?? [];
  return number === undefined ? null : { forge, ...named(repository!, page, number) };
}

/** `forge` stays null: the caller knows the forges' addresses. */
export function readItemAddress(address: string): NamedItem | null {
  const [, repository, page, number] = ADDRESS.exec(address) ?? [];
  return number === undefined ? null : { forge: null, ...named(repository!, page, number) };
}

function named(repository: string, page: string | undefined, number: string) {
  const kinds = Object.entries(PAGES) as [ItemKind, string][];
  const kind = kinds.find(([, name]) => name === page?.toLowerCase())?.[0] ?? null;
  return { repository, kind, number: Number(number) };
}

/** `home:owner/name#5`, or with its kind `home:owner/name/pulls/5`. The functions above read both. */
export function printNamedItem({ forge, repository, kind, number }: NamedItem): string {
  const place = forge === null ? repository : `${forge}:${repository}`;
  return kind === null ? `${place}#${number}` : `${place}/${PAGES[kind]}/${number}`;
}
