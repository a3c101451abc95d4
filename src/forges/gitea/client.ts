/** The forge port on Forgejo's and Gitea's REST API: one client per account. */
import { z } from 'zod';
import { KeyedMutex } from '../../mutex.ts';
import type { EventItem, ForgeUser, RepositoryRef, ReviewVerdict } from '../../vocabulary.ts';
import type { CiState, Forge, Item, Review } from '../forge.ts';
import type { ForgeAccount } from '../kit.ts';
import { offeredOr } from '../not-offered.ts';
import { createAccess } from './access.ts';
import {
  inlineAnswer,
  isRunOf,
  reviewAnswer,
  runAnswer,
  statusAnswer,
  toCiState,
  toInline,
  toIssueAnswer,
  toPullAnswer,
  toReview,
  verdictOf,
} from './answers.ts';
import { createAttachments } from './attachments.ts';
import { createChanges } from './changes.ts';
import { createEvidence } from './evidence.ts';
import { createHooks } from './hooks.ts';
import { createForgeHttp, type ForgeHttp } from './http.ts';
import { createIdentity } from './identity.ts';
import { createMarker } from './marks.ts';
import { mergeRules } from './merge-rules.ts';
import { toIssueItem, toRepository, toUser } from './objects.ts';
import { listAll } from './pages.ts';
import {
  issue as issueShape,
  answeredPull as pullShape,
  repository as repositoryShape,
  user as userShape,
} from './payloads.ts';
import { createCi } from './runs.ts';
import { createSurvey } from './survey.ts';
import { createComments, merge } from './writes.ts';

const REVIEW_EVENTS: Readonly<Record<ReviewVerdict, string>> = {
  approved: 'APPROVED',
  changes_requested: 'REQUEST_CHANGES',
  commented: 'COMMENT',
};

/** Every method keeps the contract of the port; every error names the call, the status and the remedy. */
export function createGiteaFamilyClient(account: ForgeAccount): Forge {
  const http = createForgeHttp(account);
  // The forge collects inline comments in one pending review per account and pull request: two at once would mix.
  const reviews = new KeyedMutex();
  return {
    name: account.name,
    ...createIdentity(account, http),
    ...createAccess(http),
    ...createHooks(http),
    ...createCi(http),
    ...createMarker(http),
    ...createComments(http),
    ...createEvidence(http),
    ...createAttachments(http),
    ...createSurvey(http),
    ...createChanges(http),
    async getRepository({ id }) {
      // By id, because another repository may have taken the old name.
      const path = `/repositories/${encodeURIComponent(id)}`;
      return toRepository((await http.send({ method: 'GET', path }, repositoryShape)).value);
    },
    getItem: (repository, number) => getItem(http, repository, number),
    listReviews: (repository, number) => listReviews(http, repository, number),
    listDependencies: (repository, number) => listDependencies(http, repository, number),
    ciState: (repository, sha) => ciState(http, repository, sha),
    mergeRules: (repository, branch) => mergeRules(http, repository, branch),
    findPulls: (repository, head) => findPulls(http, { repository, head }),
    async openPull(repository, pull) {
      const call = { method: 'POST', repository, path: '/pulls', body: pull } as const;
      return toPullAnswer((await http.sendTo(call, pullShape)).value);
    },
    async updatePull(repository, number, change) {
      const call = { method: 'PATCH', repository, path: `/pulls/${number}`, body: change } as const;
      return toPullAnswer((await http.sendTo(call, pullShape)).value);
    },
    submitReview: (repository, number, review) =>
      reviews.hold(`${repository.id}#${number}`, () => submitReview(http, { repository, number, review })),
    async createIssue(repository, issue) {
      const call = { method: 'POST', repository, path: '/issues', body: issue } as const;
      return toIssueAnswer((await http.sendTo(call, issueShape)).value);
    },
    async setStatus(repository, sha, { state, context, description, targetUrl }) {
      const body = { state, context, description, target_url: targetUrl };
      const path = `/statuses/${encodeURIComponent(sha)}`;
      await http.tellTo({ method: 'POST', repository, path, body });
    },
    merge: (repository, number, how) => merge(http, { repository, number, how }),
    listItems: (repository, filter) => listItems(http, repository, filter),
  };
}

async function getItem(http: ForgeHttp, repository: RepositoryRef, number: number): Promise<Item> {
  const path = `/issues/${number}`;
  const { value: issue } = await http.sendTo({ method: 'GET', repository, path }, issueShape);
  if (issue.pull_request === null || issue.pull_request === undefined) return toIssueAnswer(issue);
  const call = { method: 'GET', repository, path: `/pulls/${number}` } as const;
  return toPullAnswer((await http.sendTo(call, pullShape)).value);
}

async function listItems(
  http: ForgeHttp,
  repository: RepositoryRef,
  { state, limit }: Parameters<Forge['listItems']>[1],
): Promise<EventItem[]> {
  const search = new URLSearchParams({ state, limit: String(Math.min(limit, 50)) });
  const call = { method: 'GET', repository, path: `/issues?${search}` } as const;
  const { value } = await http.sendTo(call, z.array(issueShape).nullish());
  return (value ?? []).map((listed) => {
    const kind = listed.pull_request === null || listed.pull_request === undefined ? 'issue' : 'pull';
    return { ...toIssueItem(listed), kind };
  });
}

async function listReviews(http: ForgeHttp, repository: RepositoryRef, number: number): Promise<Review[]> {
  const path = `/pulls/${number}/reviews`;
  const answers = await listAll(http, { repository, path, member: reviewAnswer });
  answers.sort((a, b) => Date.parse(a.submitted_at) - Date.parse(b.submitted_at) || a.id - b.id);
  const reviews: Review[] = [];
  for (const answer of answers) {
    const verdict = verdictOf(answer);
    if (verdict === null) continue;
    const comments = { method: 'GET', repository, path: `${path}/${answer.id}/comments` } as const;
    const inline =
      answer.comments_count === 0 ? [] : (await http.listTo(comments, { member: inlineAnswer })).members;
    // The forge sorts them by file and line, in no fixed order. Their ids rise with time.
    inline.sort((a, b) => a.id - b.id);
    // guard: voices: a reply's own author
    reviews.push(toReview(answer, verdict, inline.map(toInline)));
  }
  return reviews;
}

const dependencyAnswer = z.object({
  id: z.number().int(),
  number: z.number().int(),
  repository: z.object({ full_name: z.string() }).nullish(),
});

async function listDependencies(
  http: ForgeHttp,
  repository: RepositoryRef,
  number: number,
): ReturnType<Forge['listDependencies']> {
  const path = `/issues/${number}/dependencies`;
  const found = await offeredOr(null, () => listAll(http, { repository, path, member: dependencyAnswer }));
  if (found === null)
    return { kind: 'not-offered', why: 'This forge does not tell what an issue depends on.' };
  const items = found.map((one) => ({
    fullName: one.repository?.full_name ?? repository.fullName,
    number: one.number,
  }));
  return { kind: 'items', items };
}

async function ciState(http: ForgeHttp, repository: RepositoryRef, sha: string): Promise<CiState> {
  const path = `/commits/${encodeURIComponent(sha)}/status`;
  const statuses = await offeredOr([], () =>
    listAll(http, { repository, path, member: statusAnswer, field: 'statuses' }),
  );
  const query = { head_sha: sha };
  const list = { repository, path: '/actions/runs', query, member: runAnswer, field: 'workflow_runs' };
  // Before Forgejo 12 and Gitea 1.25, and where Actions are switched off, there is no such list. Gitea keeps it from
  // everybody but the owner; statuses tell readers the same.
  const runs = await offeredOr([], () => listAll(http, list));
  return toCiState(statuses, runs.filter(isRunOf(sha)));
}

/** Compares a list of all open ones, because only Forgejo 16 and newer can filter by head. */
async function findPulls(
  http: ForgeHttp,
  { repository, head }: { repository: RepositoryRef; head: string },
): Promise<Item[]> {
  const open = await listAll(http, {
    repository,
    path: '/pulls',
    query: { state: 'open' },
    member: pullListed,
  });
  return open.map(toPullAnswer).filter(({ pull }) => pull !== null && pull.headRef === head && !pull.fork);
}

const pullListed = pullShape.extend({ id: z.number().int() });

/**
 * A comment without a line cannot be placed by this API; it goes into the body with its path. A position is the line
 * of the file on the new side.
 */
async function submitReview(
  http: ForgeHttp,
  { repository, number, review }: { repository: RepositoryRef; number: number; review: ReviewToSubmit },
): Promise<{ id: number; author?: ForgeUser }> {
  const unplaced = review.inline.filter((inline) => inline.line === null);
  const paragraphs = unplaced.map((inline) => `\`${inline.path}\`: ${inline.body}`);
  const body = {
    event: REVIEW_EVENTS[review.verdict],
    body: [review.body, ...paragraphs].filter((paragraph) => paragraph !== '').join('\n\n'),
    commit_id: review.commitId,
    comments: review.inline
      .filter((inline) => inline.line !== null)
      .map((inline) => ({ path: inline.path, body: inline.body, new_position: inline.line })),
  };
  const call = { method: 'POST', repository, path: `/pulls/${number}/reviews`, body } as const;
  const { id, user } = (await http.sendTo(call, reviewMade)).value;
  return user ? { id, author: toUser(user) } : { id };
}

const reviewMade = z.object({ id: z.number().int(), user: userShape.nullish() });
type ReviewToSubmit = Parameters<Forge['submitReview']>[2];
