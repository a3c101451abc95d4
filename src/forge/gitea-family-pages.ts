/** Lists over several pages. */
import { z } from 'zod';
import type { ForgeHttp, RepositoryCall } from './gitea-family-http.ts';

/** The default maximum of both forges. A larger limit is cut silently, so a short page never means "the last one". */
const PAGE_SIZE = 50;

export interface ListCall<S extends z.ZodType> {
  repository: RepositoryCall['repository'];
  path: string;
  query?: Record<string, string>;
  /** one member of the list */
  member: S;
  /** the field that holds the list where the answer is an object */
  field?: string;
}

/**
 * Every member of a list. Asks until the total is reached, a page is empty, or a page brings nothing new: the last one
 * ends lists that know no pages, and duplicates come from members added in front while we turn pages.
 */
export async function listAll<S extends z.ZodType<{ id: number }>>(
  http: ForgeHttp,
  { repository, path, query, member, field }: ListCall<S>,
): Promise<z.output<S>[]> {
  const members = z.array(member).nullish();
  // An object's own `total_count` is the length of the page on some servers, so only the header counts.
  const shape =
    field === undefined
      ? members
      : z
          .object({ [field]: members })
          .nullable()
          .transform((page) => page?.[field] as z.output<S>[] | null | undefined);
  const byId = new Map<number, z.output<S>>();
  for (let page = 1; ; page += 1) {
    const search = new URLSearchParams({ ...query, page: String(page), limit: String(PAGE_SIZE) });
    const answer = await http.sendTo({ method: 'GET', repository, path: `${path}?${search}` }, shape);
    const before = byId.size;
    for (const entry of answer.value ?? []) byId.set(entry.id, entry);
    if (byId.size === before || byId.size >= (answer.total ?? Infinity)) return [...byId.values()];
  }
}
