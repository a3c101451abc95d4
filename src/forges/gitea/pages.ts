/** Lists over several pages. */
import type { z } from 'zod';
import { LARGEST_ANSWER } from '../answer-body.ts';
import type { ForgeHttp, ListAnswer, ListShape, RepositoryCall } from './http.ts';

/** The default maximum of both forges. A larger limit is cut silently, so a short page never means "the last one". */
const PAGE_SIZE = 50;
const FIRST_PIECE = 32 << 20;
/** Limits for one list: answers that were cut short, and answers in all. A longer list is read up to here. */
const MOST_CUT_SHORT = 16;
const MOST_ANSWERS = 2_000;

export interface ListCall<S extends z.ZodType> extends ListShape<S> {
  repository: RepositoryCall['repository'];
  path: string;
  query?: Record<string, string>;
  /** when a member was made, where the list can be asked for what is newer (`since`) */
  madeAt?: (member: z.output<S>) => string;
}

interface Place {
  page: number;
  limit: number;
  since: string | null;
  /** bytes of one answer after which it is cut short */
  piece: number;
}

/**
 * Every member of a list. Asks until the total is reached, a page is empty, or a page brings nothing new: the last one
 * ends lists that know no pages, and duplicates come from members added in front while we turn pages.
 *
 * Strangers decide how long a page is. One that is cut short is asked for again in smaller pieces: from the time of its
 * last member on where the list knows that (comments come all at once, whatever `limit` says), else in shorter pages.
 */
export async function listAll<S extends z.ZodType<{ id: number }>>(
  http: ForgeHttp,
  { repository, path, query, madeAt, ...shape }: ListCall<S>,
): Promise<z.output<S>[]> {
  const byId = new Map<number, z.output<S>>();
  let place: Place | null = { page: 1, limit: PAGE_SIZE, since: null, piece: FIRST_PIECE };
  let cuts = 0;
  for (let asked = 0; place !== null && asked < MOST_ANSWERS && cuts < MOST_CUT_SHORT; asked += 1) {
    const { page, limit, since, piece }: Place = place;
    const search = new URLSearchParams({ ...query, page: String(page), limit: String(limit) });
    if (since !== null) search.set('since', since);
    const call = { method: 'GET', repository, path: `${path}?${search}`, piece } as const;
    const answer: ListAnswer<z.output<S>> = await http.listTo(call, shape);
    const before = byId.size;
    for (const entry of answer.members) byId.set(entry.id, entry);
    const isNews = byId.size > before;
    // guard: texts: lists in pieces
    if (answer.isCutShort) {
      cuts += 1;
      const last = answer.members.at(-1);
      if (madeAt === undefined) place = shorter(place, answer.members.length);
      else place = later(place, isNews && last !== undefined ? madeAt(last) : '');
    } else {
      const isAll: boolean = !isNews || (since === null && byId.size >= (answer.total ?? Infinity));
      place = isAll ? null : { ...place, page: page + 1 };
    }
  }
  return [...byId.values()];
}

/** Goes on from the last member. If there was no new one, the next answer may be longer. */
function later(place: Place, from: string): Place | null {
  if (from !== '') return { ...place, page: 1, since: from };
  return place.piece >= LARGEST_ANSWER ? null : { ...place, piece: place.piece * 2 };
}

/** The page at half the length that holds the first member not read yet. */
function shorter(place: Place, read: number): Place {
  const limit = Math.max(1, Math.floor(place.limit / 2));
  const offset = (place.page - 1) * place.limit + read;
  return { ...place, limit, page: Math.floor(offset / limit) + 1 };
}
