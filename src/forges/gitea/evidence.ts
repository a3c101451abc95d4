/**
 * What proves that a delivery is true: which repository an id is, who assigned or labelled, which replies and reviews
 * there are. A webhook's body proves only that its sender knew the hook's secret.
 */
import { z } from 'zod';
import { ForgeMissing, ForgeRefused } from '../../errors.ts';
import type { EventRepository, RepositoryRef } from '../../vocabulary.ts';
import type { Comment, Forge, Timeline, TimelineEntry } from '../forge.ts';
import { type NotOffered, whyNotOffered } from '../not-offered.ts';
import { reviewAnswer, toComment } from './answers.ts';
import type { ForgeHttp } from './http.ts';
import { toRepository, toUser } from './objects.ts';
import { listAll } from './pages.ts';
import {
  comment as commentShape,
  instant,
  repository as repositoryShape,
  user as userShape,
} from './payloads.ts';

const PAGE_SIZE = 50;
const PIECE_SIZE = 5;

type Evidence = Pick<Forge, 'identifyRepository' | 'timeline' | 'findReviewComment' | 'dismissedReviews'>;

export function createEvidence(http: ForgeHttp): Evidence {
  return {
    identifyRepository: (claimed) => identifyRepository(http, claimed),
    timeline: (repository, number, at) => timeline(http, { repository, number, at }),
    findReviewComment: (repository, number, id) => findReviewComment(http, { repository, number, id }),
    async dismissedReviews(repository, number) {
      const path = `/pulls/${number}/reviews`;
      const answers = await listAll(http, { repository, path, member: reviewAnswer });
      return answers
        .filter((answer) => answer.dismissed === true && answer.user)
        .map((answer) => toUser(answer.user!));
    },
  };
}

async function identifyRepository(
  http: ForgeHttp,
  claimed: RepositoryRef,
): Promise<{ repository: EventRepository; named: boolean }> {
  const path = `/repositories/${encodeURIComponent(claimed.id)}`;
  const { value } = await http.send({ method: 'GET', path }, repositoryShape);
  const repository = toRepository(value);
  if (sameName(repository.fullName, claimed.fullName)) return { repository, named: true };
  return { repository, named: await leadsTo(http, claimed.fullName, repository) };
}

/** After a rename or a transfer the old name answers with a redirect until another repository takes it. */
async function leadsTo(http: ForgeHttp, name: string, repository: EventRepository): Promise<boolean> {
  const parts = name.split('/');
  if (parts.length !== 2 || parts.some((part) => part === '' || part === '.' || part === '..')) return false;
  const path = `/repos/${parts.map(encodeURIComponent).join('/')}`;
  try {
    const answer = await http.look({ method: 'GET', path });
    if (answer.location === null) {
      const found = z.object({ id: z.number() }).safeParse(JSON.parse(answer.text));
      return found.success && String(found.data.id) === repository.id;
    }
    const target = /\/repos\/([^/?#]+)\/([^/?#]+)\/?(?:[?#]|$)/.exec(answer.location);
    return target !== null && sameName(`${decoded(target[1]!)}/${decoded(target[2]!)}`, repository.fullName);
  } catch (error) {
    const isNothing = error instanceof ForgeMissing || error instanceof ForgeRefused;
    if (isNothing || error instanceof SyntaxError) return false;
    throw error;
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

const word = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

const timelineAnswer = z.object({
  id: z.number().int(),
  // Gitea before 1.16 numbers the kinds; such an entry proves nothing to us.
  type: z.union([z.string(), z.number()]).transform(String),
  user: userShape.nullish(),
  body: word,
  created_at: instant,
  assignee: userShape.nullish(),
  assignee_team: z.object({ name: word }).nullish(),
  removed_assignee: z.boolean().nullish(),
  label: z.object({ name: word }).nullish(),
  html_url: word,
  updated_at: instant,
  new_title: word,
  old_title: word,
  new_ref: word,
  old_ref: word,
});
export type TimelineAnswer = z.output<typeof timelineAnswer>;

export interface TimelineCall {
  repository: RepositoryRef;
  number: number;
  at: Parameters<Forge['timeline']>[2];
}

/** One page as the forge gives it; entries that the reader may not see are null. */
export async function timelinePage(http: ForgeHttp, call: TimelineCall): Promise<(TimelineAnswer | null)[]> {
  const whole = await timelinePiece(http, call, { page: call.at.page, limit: PAGE_SIZE });
  return whole.isCutShort ? await inPieces(http, call) : whole.members;
}

async function timeline(http: ForgeHttp, call: TimelineCall): Promise<Timeline | NotOffered> {
  try {
    const members = await timelinePage(http, call);
    // Entries that the reader may not see are null.
    const entries = members.flatMap((answer) => (answer === null ? [] : toEntry(answer)));
    return { kind: 'timeline', entries, isLast: members.length === 0 };
  } catch (error) {
    const reason = whyNotOffered(error);
    if (reason === null) throw error;
    const why =
      reason === 'no-route'
        ? 'This forge has no timeline of issues. Update it.'
        : 'This forge does not show this account the timeline of issues. Give it access to the repository.';
    return { kind: 'not-offered', why };
  }
}

/** Comments are entries, too, and may be long. */
async function inPieces(http: ForgeHttp, call: TimelineCall): Promise<(TimelineAnswer | null)[]> {
  const members: (TimelineAnswer | null)[] = [];
  for (let piece = 1; piece <= PAGE_SIZE / PIECE_SIZE; piece++) {
    const page = ((call.at.page - 1) * PAGE_SIZE) / PIECE_SIZE + piece;
    const answer = await timelinePiece(http, call, { page, limit: PIECE_SIZE });
    members.push(...answer.members);
    if (answer.members.length === 0) break;
  }
  return members;
}

async function timelinePiece(
  http: ForgeHttp,
  { repository, number, at }: TimelineCall,
  piece: { page: number; limit: number },
) {
  const search = new URLSearchParams({
    page: String(piece.page),
    limit: String(piece.limit),
    ...(at.since === null ? {} : { since: at.since }),
  });
  const path = `/issues/${number}/timeline?${search}`;
  return await http.listTo({ method: 'GET', repository, path }, { member: timelineAnswer.nullable() });
}

function toEntry(answer: TimelineAnswer): TimelineEntry[] {
  const what = meaningOf(answer);
  if (what === null || !answer.user) return [];
  return [{ id: answer.id, by: toUser(answer.user), at: answer.created_at, ...what }];
}

type Meaning = Pick<TimelineEntry, 'kind' | 'subjects'>;

function meaningOf(answer: TimelineAnswer): Meaning | null {
  const gone = answer.removed_assignee === true;
  switch (answer.type) {
    case 'assignees':
      return { kind: gone ? 'unassigned' : 'assigned', subjects: named(answer.assignee?.login) };
    case 'label':
      // "1" for one that was added, nothing for one that was taken off.
      return { kind: answer.body === '' ? 'unlabeled' : 'labeled', subjects: named(answer.label?.name) };
    case 'review_request':
      if (answer.assignee_team) return { kind: gone ? 'team-withdrawn' : 'team-requested', subjects: [] };
      return { kind: gone ? 'withdrawn' : 'requested', subjects: named(answer.assignee?.login) };
    case 'pull_push':
      return { kind: 'pushed', subjects: commitsIn(answer.body) };
    case 'close':
      return { kind: 'closed', subjects: [] };
    case 'reopen':
      return { kind: 'reopened', subjects: [] };
    case 'merge_pull':
      return { kind: 'merged', subjects: [] };
    default:
      return null;
  }
}

function named(name: string | undefined): string[] {
  return name === undefined || name === '' ? [] : [name];
}

const pushBody = z.object({ commit_ids: z.array(z.string()).nullish() });

export function commitsIn(body: string): string[] {
  try {
    return pushBody.parse(JSON.parse(body)).commit_ids ?? [];
  } catch {
    return [];
  }
}

const replyShape = commentShape.extend({ pull_request_review_id: z.number().nullish() });

/** A reply on the web is in the review of whoever began the thread, with its own author. */
async function findReviewComment(
  http: ForgeHttp,
  { repository, number, id }: { repository: RepositoryRef; number: number; id: number },
): Promise<Comment | null> {
  const path = `/pulls/${number}/reviews`;
  const reviews = await listAll(http, { repository, path, member: reviewAnswer });
  // A new reply is most often in a thread of the newest reviews.
  for (const review of reviews.toReversed()) {
    if (review.comments_count === 0) continue;
    const call = { method: 'GET', repository, path: `${path}/${review.id}/comments` } as const;
    const { members } = await http.listTo(call, { member: replyShape });
    const found = members.find((comment) => comment.id === id);
    if (found !== undefined) return toComment(found);
  }
  return null;
}
