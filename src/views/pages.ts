/**
 * Lists by pages. A page begins after a key, which is the last row of the page before: rows that come in meanwhile move
 * nothing, where an offset would show some rows twice and would read all that it skips.
 */

export interface PageQuery<Key> {
  /** at most 500 are answered, whatever is asked for */
  limit: number;
  /** `next` of the page before; null = the first page */
  after: Key | null;
}

export interface Page<Item, Key> {
  items: Item[];
  /** where the next page begins; null = there is none */
  next: Key | null;
}

export interface PageSource<Row, Item, Key> {
  rows(query: PageQuery<Key>): Promise<Row[]>;
  /** of all rows of a page at once, in their order */
  view(rows: Row[]): Promise<Item[]> | Item[];
  keyOf(row: Row): Key;
}

/** A page is held in memory whole, and its ids are values of one statement, of which SQLite takes 32,766. */
const LARGEST_PAGE = 500;

export async function readPage<Row, Item, Key>(
  query: PageQuery<Key>,
  source: PageSource<Row, Item, Key>,
): Promise<Page<Item, Key>> {
  const limit = Math.min(query.limit, LARGEST_PAGE);
  // One more than is shown tells whether there is a next page.
  const found = await source.rows({ limit: limit + 1, after: query.after });
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: await source.view(shown),
    next: last === undefined || found.length <= limit ? null : source.keyOf(last),
  };
}

/** As many items as asked for, page by page. */
export async function readPages<Item, Key>(
  limit: number,
  page: (query: PageQuery<Key>) => Promise<Page<Item, Key>>,
): Promise<Item[]> {
  const items: Item[] = [];
  let after: Key | null = null;
  do {
    const read: Page<Item, Key> = await page({ limit: limit - items.length, after });
    items.push(...read.items);
    after = read.next;
  } while (after !== null && items.length < limit);
  return items;
}
