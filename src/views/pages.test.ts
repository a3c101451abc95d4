import { expect, test } from 'vitest';
import { type PageQuery, readPage, readPages } from './pages.ts';

/** Rows 1 to `count` in falling order, and what was asked for. */
function numbers(count: number) {
  const asked: PageQuery<number>[] = [];
  const page = (query: PageQuery<number>) =>
    readPage(query, {
      rows: async (part: PageQuery<number>) => {
        asked.push(part);
        const from = part.after === null ? count : part.after - 1;
        return Array.from({ length: Math.min(part.limit, from) }, (_, n) => from - n);
      },
      view: (rows) => rows.map(String),
      keyOf: (row) => row,
    });
  return { asked, page };
}

test('a page ends with the key of its last row, and the last page with none', async () => {
  const { page } = numbers(5);
  expect(await page({ limit: 2, after: null })).toEqual({ items: ['5', '4'], next: 4 });
  expect(await page({ limit: 2, after: 4 })).toEqual({ items: ['3', '2'], next: 2 });
  expect(await page({ limit: 2, after: 2 })).toEqual({ items: ['1'], next: null });
  expect(await page({ limit: 5, after: null })).toMatchObject({ next: null });
  expect(await numbers(0).page({ limit: 5, after: null })).toEqual({ items: [], next: null });
});

test('a page is bounded, whatever is asked for; all that was asked for is read page by page', async () => {
  const { asked, page } = numbers(10_000);
  expect((await page({ limit: 9999, after: null })).items).toHaveLength(500);
  asked.length = 0;
  const items = await readPages(1200, page);
  expect(items).toEqual(Array.from({ length: 1200 }, (_, n) => String(10_000 - n)));
  expect(asked).toEqual([
    { limit: 501, after: null },
    { limit: 501, after: 9501 },
    { limit: 201, after: 9001 },
  ]);
  expect(await readPages(1200, numbers(3).page)).toEqual(['3', '2', '1']);
});
