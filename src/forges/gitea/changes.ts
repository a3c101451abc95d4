/** What changed, asked of Forgejo and Gitea: searches and lists by `since`, and the history of one item. */
import { z } from 'zod';
import { ForgeRefused } from '../../errors.ts';
import type { RepositoryRef } from '../../vocabulary.ts';
import type { ChangedItem, ChangedItems, ForgeChanges, HistoryQuestion } from '../changes.ts';
import { type NotOffered, whyNotOffered } from '../not-offered.ts';
import { reviewAnswer } from './answers.ts';
import { ciResults } from './ci-twins.ts';
import { type TimelineAnswer, timelinePage } from './evidence.ts';
import type { ForgeHttp } from './http.ts';
import { toUser } from './objects.ts';
import { listAll } from './pages.ts';
import {
  comment as commentShape,
  instant,
  issue as issueShape,
  pullRequest as pullShape,
} from './payloads.ts';
import type { InlineFound, ReviewFound } from './twin-bodies.ts';
import { happenedOn } from './twins.ts';

export function createChanges(http: ForgeHttp): ForgeChanges {
  return {
    changedItems: ({ since, owner }) =>
      offered(() => (owner === null ? search(http, { state: 'all', since }) : ofOwner(http, owner, since))),
    openForSelf: (what) =>
      offered(() =>
        search(http, {
          state: 'open',
          ...(what === 'assigned' ? { assigned: 'true' } : { review_requested: 'true', type: 'pulls' }),
        }),
      ),
    changedComments: (repository, since) => offered(() => changedComments(http, repository, since)),
    history: (question) => offered(() => history(http, question)),
    ciResults: (question) => offered(() => ciResults(http, question)),
  };
}

const NOT_OFFERED =
  'This forge does not answer what has changed since a time, or not to this account. Give the account access to the issues of its repositories, or set `intake: hooks` for this forge.';

async function offered<T>(ask: () => Promise<T>): Promise<T | NotOffered> {
  try {
    return await ask();
  } catch (error) {
    if (whyNotOffered(error) === null) throw error;
    return { kind: 'not-offered', why: NOT_OFFERED };
  }
}

const found = z.object({
  number: z.number().int(),
  title: z.string(),
  updated_at: instant,
  pull_request: z.unknown(),
  repository: z.object({ id: z.number().int(), full_name: z.string() }),
});

const PAGE = 50;
/** 1,000 items. A forge that has more to say is asked for each owner. */
const MOST_PAGES = 20;

const BAD_REQUEST = 400;

/** An owner whom the forge does not have, or not any more, has nothing; the others are looked at all the same. */
async function ofOwner(http: ForgeHttp, owner: string, since: string): Promise<ChangedItems> {
  try {
    return await search(http, { state: 'all', since, owner });
  } catch (error) {
    // guard: reconciler: an owner who is gone
    if (!(error instanceof ForgeRefused) || error.status !== BAD_REQUEST) throw error;
    return { kind: 'items', items: [], at: null, isCutShort: false };
  }
}

async function search(http: ForgeHttp, query: Record<string, string>): Promise<ChangedItems> {
  const items = new Map<string, ChangedItem>();
  let at: number | null = null;
  for (let page = 1; page <= MOST_PAGES; page++) {
    const words = new URLSearchParams({ ...query, page: String(page), limit: String(PAGE) });
    const answer = await http.list(
      { method: 'GET', path: `/repos/issues/search?${words}` },
      { member: found },
    );
    // The first answer's: what changes while pages are turned is found by the next look.
    if (page === 1) at = answer.at;
    for (const one of answer.members) {
      const kind = one.pull_request === null || one.pull_request === undefined ? 'issue' : 'pull';
      const { id, full_name: fullName } = one.repository;
      const { number, title, updated_at: updatedAt } = one;
      const repository = { id: String(id), fullName };
      items.set(`${id}#${number}`, { repository, kind, number, title, updatedAt });
    }
    const isAll = answer.members.length === 0 || items.size >= (answer.total ?? Infinity);
    if (isAll) return { kind: 'items', items: [...items.values()], at, isCutShort: false };
  }
  return { kind: 'items', items: [...items.values()], at, isCutShort: true };
}

const listedComment = commentShape.extend({
  issue_url: z.string().nullish(),
  pull_request_url: z.string().nullish(),
});

async function changedComments(http: ForgeHttp, repository: RepositoryRef, since: string) {
  const path = '/issues/comments';
  const numbers = new Set<number>();
  let at: number | null = null;
  for (let page = 1; page <= MOST_PAGES; page++) {
    const words = new URLSearchParams({ since, page: String(page), limit: String(PAGE) });
    const call = { method: 'GET', repository, path: `${path}?${words}` } as const;
    const answer = await http.listTo(call, { member: listedComment });
    if (page === 1) at = answer.at;
    const before = numbers.size;
    for (const { issue_url, pull_request_url } of answer.members) {
      const number = Number(/\/(?:issues|pulls)\/(\d+)$/.exec(issue_url || pull_request_url || '')?.[1] ?? 0);
      if (number > 0) numbers.add(number);
    }
    const isLast = answer.members.length === 0 || (answer.total ?? Infinity) <= page * PAGE;
    // Some versions answer the whole list on every page.
    if (isLast || (page > 1 && numbers.size === before)) break;
  }
  return { kind: 'comments' as const, numbers: [...numbers], at };
}

async function history(http: ForgeHttp, question: HistoryQuestion) {
  const { forge, repository, number, since, seenText } = question;
  const call = { method: 'GET', repository, path: `/issues/${number}` } as const;
  const { value: issue } = await http.sendTo(call, issueShape);
  const isPull = issue.pull_request !== null && issue.pull_request !== undefined;
  const pullCall = { method: 'GET', repository, path: `/pulls/${number}` } as const;
  const pull = isPull ? (await http.sendTo(pullCall, pullShape)).value : null;
  // The forge's times are whole seconds.
  const from = Math.floor(Date.parse(since) / 1000) * 1000;
  const { reviews, remarks } = isPull ? await reviewsOf(http, { repository, number, from }) : NO_REVIEWS;
  const entries = await timelineSince(http, question, remarks);
  return happenedOn({ forge, repository, issue, pull, entries, reviews, since: from, seenText });
}

/** A thousand entries. */
const MOST_ENTRY_PAGES = 20;

/** `remarks`: in reviews. Each fills a place on a page of the timeline, and is not shown there. */
async function timelineSince(
  http: ForgeHttp,
  { repository, number, since }: HistoryQuestion,
  remarks: number,
): Promise<TimelineAnswer[]> {
  let emptyPages = Math.floor(remarks / PAGE);
  const byId = new Map<number, TimelineAnswer>();
  for (let page = 1; page <= MOST_ENTRY_PAGES; page++) {
    const members = await timelinePage(http, { repository, number, at: { since, page } });
    const before = byId.size;
    for (const entry of members) if (entry !== null) byId.set(entry.id, entry);
    // guard: reconciler: a page full of remarks is not the last one
    if (members.length === 0 && emptyPages-- > 0) continue;
    if (members.length === 0 || byId.size === before) break;
  }
  return [...byId.values()].sort(
    (a, b) => Date.parse(a.created_at) - Date.parse(b.created_at) || a.id - b.id,
  );
}

/** Whose replies are looked for: threads of older reviews are rarely answered, and each takes a request. */
const MOST_THREADS = 10;
const reply = z.object({
  id: z.number().int(),
  body: z
    .string()
    .nullish()
    .transform((value) => value ?? ''),
  html_url: z.string().nullish(),
  user: z.object({ id: z.number().int(), login: z.string() }).nullish(),
  created_at: instant,
  updated_at: instant,
});

interface Reviews {
  reviews: ReviewFound[];
  /** on lines, in all of them */
  remarks: number;
}

const NO_REVIEWS: Reviews = { reviews: [], remarks: 0 };

async function reviewsOf(
  http: ForgeHttp,
  { repository, number, from }: { repository: RepositoryRef; number: number; from: number },
): Promise<Reviews> {
  const path = `/pulls/${number}/reviews`;
  const answers = await listAll(http, { repository, path, member: reviewAnswer });
  const threads = answers
    .filter((answer) => (answer.comments_count ?? 0) > 0)
    .map(({ id }) => id)
    .sort((a, b) => b - a);
  const reviews: ReviewFound[] = [];
  for (const answer of answers) {
    const at = answer.updated_at || answer.submitted_at;
    const isRead = threads.indexOf(answer.id) >= 0 && threads.indexOf(answer.id) < MOST_THREADS;
    const inline: InlineFound[] = [];
    if (isRead) {
      const call = { method: 'GET', repository, path: `${path}/${answer.id}/comments` } as const;
      for (const one of (await http.listTo(call, { member: reply })).members) {
        const { id, body, user, created_at: createdAt, updated_at: updatedAt } = one;
        if (Math.max(Date.parse(createdAt), Date.parse(updatedAt || createdAt)) < from) continue;
        const author = user ? { id: user.id, login: user.login } : null;
        inline.push({ id, author, body, htmlUrl: one.html_url ?? '', createdAt, updatedAt });
      }
    }
    const author = answer.user ? toUser(answer.user) : null;
    const { id, state, body, commit_id: commitId } = answer;
    reviews.push({ id, author, state, body, commitId, at, inline });
  }
  const remarks = answers.reduce((sum, { comments_count: count }) => sum + (count ?? 0), 0);
  return { reviews, remarks };
}
