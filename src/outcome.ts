/**
 * What becomes of an answer: the branch is pushed, the pull request opened, the answer posted. Each is an effect, done
 * once; a crash between two of them goes on where it stopped.
 */
import type { EffectRow } from './database/tables.ts';
import { ForgeMissing, ForgeRefused } from './errors.ts';
import { continuityReceipt, modelReceipt, postedText, unmarked } from './outcome/answer.ts';
import { answerElsewhere } from './outcome/answer-elsewhere.ts';
import { answerParts } from './outcome/answer-parts.ts';
import { type EffectDeps, effectKey, lastResult, marker, once, wasBegun } from './outcome/effects.ts';
import { causeOf, failureText, type PushCause } from './outcome/failure-texts.ts';
import type { OutgoingForge } from './outcome/outgoing-forge.ts';
import {
  choosePull,
  joinPull,
  openedByAnother,
  openedEarlier,
  otherBase,
  readyForReview,
  withoutDraftPrefix,
} from './outcome/pulls.ts';
import { splitReview } from './outcome/remarks.ts';
import { MISSING, readVerdict } from './outcome/verdict.ts';
import type { Continuity, DispatchKey, ForgeUser, RepositoryRef } from './vocabulary.ts';

/** What pushing came to; the worker's `workdir.push` fits. */
export type Pushed =
  | { kind: 'pushed'; sha: string }
  /** `news`: the agent pushed it in this run */
  | { kind: 'up-to-date'; sha: string; news: boolean }
  | { kind: 'nothing' }
  | { kind: 'rejected'; reason: string; why: PushCause };

export interface Publication {
  key: DispatchKey;
  agent: string;
  /** whether this agent's account is that user, by the id that the forge gives */
  isOurs: (user: ForgeUser) => boolean;
  forgeName: string;
  repository: RepositoryRef;
  /** where the answer goes: the item of the leading message */
  itemNumber: number;
  /** the other items where somebody waits for an answer of this dispatch */
  alsoAsked: readonly number[];
  itemTitle: string;
  publish: 'pull-request' | 'review' | 'comment';
  /** null when there is nothing that could be pushed */
  branch: {
    name: string;
    base: string;
    /** whether a pull request is opened for it where there is none */
    opensPull: boolean;
    /** the row of the push, planned together with the answer; null = it is planned here */
    planned: EffectRow | null;
    push: () => Promise<Pushed>;
    /** why no new pull request is wanted, in a sentence for people; null = it may be opened */
    refusePull: () => Promise<string | null>;
  } | null;
  /** sentences about what the run has left that is not published; `published`: what of it was */
  leftOver: (published: string | null) => Promise<string[]>;
  /** numbers of the items that the conversation had when the dispatch began */
  joined: readonly number[];
  /** the line under a pull request that says who made it; left out or '' = none */
  disclosure?: string;
  /** the issue the pull request closes; null when the conversation began on a pull request */
  closes: number | null;
  /** the commit that a review is about, or why there can be none; null when the answer is no review */
  reviewed: { kind: 'commit'; sha: string } | { kind: 'withheld'; why: string } | null;
  answer: string;
  continuity: Continuity;
  continuityReason: string;
  /** what made the answer, and what the one before it, where that was another; left out = nothing to say */
  model?: { name: string | null; former: string | null };
}

export interface OutcomeDeps extends EffectDeps {
  forge: OutgoingForge;
}

export interface Published {
  pushedSha: string | null;
  /** commits went out that the forge did not have */
  hasNews: boolean;
  pullNumber: number | null;
  commentUrl: string | null;
  reviewId: number | null;
  /** effects the forge refused, in its words */
  refusals: string[];
  /** what a rule leaves to a person, as a sentence; null = nothing */
  approval: string | null;
}

export async function publishOutcome(publication: Publication, deps: OutcomeDeps): Promise<Published> {
  const published: Published = {
    pushedSha: null,
    hasNews: false,
    pullNumber: null,
    commentUrl: null,
    reviewId: null,
    refusals: [],
    approval: null,
  };
  const notes: string[] = [];
  const parts = answerParts(publication.answer, [publication.itemNumber, ...publication.alsoAsked]);
  if (publication.publish === 'pull-request' && publication.branch !== null) {
    const answer = [...parts.values()].filter((part) => part !== '').join('\n\n');
    await pushWork({ ...publication, answer }, deps, { published, notes });
  }
  // guard: truth: what stays behind is told
  notes.push(...(await publication.leftOver(published.pushedSha)));
  notes.push(...continuityReceipt(publication.continuity, publication.continuityReason));
  notes.push(...modelReceipt(publication.model ?? { name: null, former: null }));
  const main = { ...publication, answer: mainPart(publication, parts) };
  const { length: refused } = published.refusals;
  const { reviewed } = publication;
  if (publication.publish === 'review' && reviewed?.kind === 'commit') {
    await review({ ...main, reviewedSha: reviewed.sha }, deps, { published, notes });
  } else {
    if (reviewed?.kind === 'withheld') notes.push(reviewed.why);
    await comment(main, deps, { published, notes });
  }
  const isPosted = published.commentUrl !== null || published.refusals.length === refused;
  // guard: each place that asked is answered
  const elsewhere = await answerElsewhere({ ...main, parts, published, notes, isPosted }, deps);
  published.refusals.push(...elsewhere);
  return published;
}

/** Why the answer was not posted; null = it was. */
export function unpostedReason({ commentUrl, reviewId, refusals }: Published): string | null {
  // guard: truth: a refused answer is no success
  if (commentUrl !== null || reviewId !== null) return null;
  return refusals.at(-1) ?? 'nothing says why';
}

/** The agent may have answered on another item only; then this one says where. */
function mainPart({ itemNumber, alsoAsked }: Publication, parts: ReadonlyMap<number, string>): string {
  const part = parts.get(itemNumber)!;
  const other = alsoAsked.find((number) => parts.get(number) !== '');
  return part === '' && other !== undefined ? `My answer is on #${other}.` : part;
}

interface Progress {
  published: Published;
  notes: string[];
}

/** The first thing that an answer does to the forge. */
export function pushEffect(key: DispatchKey, { name, base }: { name: string; base: string }) {
  return { ...key, kind: 'push' as const, request: { branch: name, base } };
}

async function pushWork(p: Publication, deps: OutcomeDeps, progress: Progress): Promise<void> {
  const branch = p.branch!;
  const pushed = await once<Pushed>(deps, {
    ...pushEffect(p.key, branch),
    planned: branch.planned,
    // Pushing the same commits again changes nothing, so an earlier push is looked for by pushing.
    find: async () => sinceLastPush(await branch.push(), await lastResult<Pushed>(deps, p.key, 'push')),
    perform: async () => withNews(await branch.push()),
  });
  if (pushed.kind === 'refused') {
    const why = { kind: 'failed' as const, cause: causeOf(pushed.error) };
    progress.notes.push(failureText({ kind: 'push', branch: branch.name, why }));
    progress.published.refusals.push(pushed.reason);
    return;
  }
  if (pushed.result.kind === 'rejected') {
    progress.notes.push(failureText({ kind: 'push', branch: branch.name, why: pushed.result.why }));
    progress.published.refusals.push(pushed.result.reason);
    if (isForPerson(pushed.result.why)) progress.published.approval = progress.notes.at(-1)!;
    return;
  }
  if (pushed.result.kind === 'nothing') return;
  progress.published.pushedSha = pushed.result.sha;
  progress.published.hasNews = pushed.result.kind === 'pushed';
  if (branch.opensPull) await openPull(p, deps, progress);
}

/** Only a person may do, or allow, what a rule keeps from agents. */
function isForPerson({ kind }: PushCause): boolean {
  return kind === 'rules' || kind === 'protected';
}

/** Commits that the agent pushed itself in this run count as new: they need a pull request and a link, too. */
function withNews(pushed: Pushed): Pushed {
  // guard: truth: what the agent pushed itself is news
  return pushed.kind === 'up-to-date' && pushed.news ? { kind: 'pushed', sha: pushed.sha } : pushed;
}

/** An attempt that was cut off may have pushed. Commits that no recorded push has sent count as new, although the forge has them. */
function sinceLastPush(pushed: Pushed, last: Pushed | null): Pushed {
  if (pushed.kind !== 'up-to-date') return pushed;
  const isKnown = last !== null && 'sha' in last && last.sha === pushed.sha;
  // guard: push that was cut off
  return isKnown ? withNews(pushed) : { kind: 'pushed', sha: pushed.sha };
}

async function openPull(p: Publication, deps: OutcomeDeps, progress: Progress): Promise<void> {
  const { name: head, base } = p.branch!;
  const existing = choosePull(await deps.forge.findPulls(p.repository, head), { base, isOurs: p.isOurs });
  // guard: pulls: only our own is ours
  if (existing !== null && !p.isOurs(existing.author)) {
    progress.notes.push(openedByAnother(existing, head));
    return;
  }
  // The earlier pull request was merged, or closed by a person. Without new commits no other is opened.
  const isOver = existing === null && !progress.published.hasNews && (await openedEarlier(deps, p.key));
  if (isOver) return;
  // An attempt before this one may have opened it and died before that was recorded.
  const begun = await wasBegun(deps, effectKey(p.key.dispatchId, 'pull'));
  const unwanted = existing === null && !begun ? await p.branch!.refusePull() : null;
  // guard: withdrawn: no other pull request
  if (unwanted !== null) {
    progress.notes.push(unwanted);
    return;
  }
  const pull =
    // guard: pull request that was cut off
    existing === null || begun
      ? await once<{ number: number }>(deps, {
          ...p.key,
          kind: 'pull',
          request: { head, base, title: p.itemTitle },
          find: async () => {
            const pulls = await deps.forge.findPulls(p.repository, head);
            const found = choosePull(pulls, { base, isOurs: p.isOurs });
            return found === null || !p.isOurs(found.author) ? null : await readyForReview(deps, p, found);
          },
          perform: async () => {
            const mark = marker(effectKey(p.key.dispatchId, 'pull'));
            const closes = p.closes === null ? `Follows #${p.itemNumber}` : `Closes #${p.closes}`;
            // What was done, tested and left open is the agent's to say.
            const text = postedText({
              answer: `${unmarked(p.answer)}\n\n${closes}`,
              // guard: feedback: agents disclose their work, part 1
              notes: p.disclosure ? [p.disclosure] : [],
              marker: mark,
            });
            const title = withoutDraftPrefix(p.itemTitle) || p.itemTitle;
            const opened = await deps.forge.openPull(p.repository, { title, body: text, head, base });
            return await readyForReview(deps, p, opened);
          },
        })
      : { kind: 'done' as const, result: { number: existing.number } };
  if (pull.kind === 'refused') {
    progress.notes.push(failureText({ kind: 'pull', status: statusOf(pull.error) }));
    progress.published.refusals.push(pull.reason);
    return;
  }
  progress.published.pullNumber = pull.result.number;
  if (existing?.pull != null && existing.pull.baseRef !== base) {
    progress.notes.push(otherBase(existing.number, existing.pull.baseRef, base));
  }
  // An earlier dispatch, or the event of its opening, has joined it and had CI looked up.
  if (existing !== null && !begun && p.joined.includes(existing.number)) return;
  await joinPull(deps, p, { forge: p.forgeName, repository: p.repository, number: pull.result.number });
}

function statusOf(error: Error | null): number | null {
  return error instanceof ForgeRefused ? error.status : null;
}

async function comment(p: Publication, deps: OutcomeDeps, progress: Progress): Promise<void> {
  const mark = marker(effectKey(p.key.dispatchId, 'comment'));
  const { pullNumber, hasNews } = progress.published;
  const links =
    hasNews && pullNumber !== null && pullNumber !== p.itemNumber ? [`Pull request: #${pullNumber}`] : [];
  const body = postedText({ answer: p.answer, notes: [...links, ...progress.notes], marker: mark });
  const posted = await once<{ url: string }>(deps, {
    ...p.key,
    kind: 'comment',
    request: { number: p.itemNumber, body },
    find: async () => {
      const comments = await deps.forge.listComments(p.repository, p.itemNumber);
      // By our account only: anybody can write a marker.
      const ours = comments.find((c) => c.body.includes(mark) && p.isOurs(c.author));
      return ours === undefined ? null : { url: ours.htmlUrl };
    },
    perform: async () => ({
      url: (await deps.forge.createComment(p.repository, p.itemNumber, body)).htmlUrl,
    }),
  });
  if (posted.kind === 'refused') progress.published.refusals.push(posted.reason);
  else progress.published.commentUrl = posted.result.url;
}

async function review(
  p: Publication & { reviewedSha: string },
  deps: OutcomeDeps,
  progress: Progress,
): Promise<void> {
  const mark = marker(effectKey(p.key.dispatchId, 'review'));
  const read = readVerdict(p.answer);
  const { body } = read;
  const verdict = read.kind === 'given' ? read.verdict : 'commented';
  if (read.kind === 'unclear') progress.notes.push(read.why);
  if (read.kind === 'missing') progress.notes.push(MISSING);
  const text = postedText({ answer: body, notes: progress.notes, marker: mark });
  const submitted = await once<{ id: number }>(deps, {
    ...p.key,
    kind: 'review',
    request: { number: p.itemNumber, verdict, commitId: p.reviewedSha, body: text },
    find: async () => {
      const reviews = await deps.forge.listReviews(p.repository, p.itemNumber);
      const ours = reviews.find((r) => r.body.includes(mark) && p.isOurs(r.author));
      return ours === undefined ? null : { id: ours.id };
    },
    perform: async () => {
      const common = { verdict, commitId: p.reviewedSha };
      const split = splitReview(unmarked(body));
      const whole = { ...common, body: text, inline: [] };
      if (split.remarks.length === 0) return await deps.forge.submitReview(p.repository, p.itemNumber, whole);
      const rest = postedText({ answer: split.body, notes: progress.notes, marker: mark });
      try {
        const placed = { ...common, body: rest, inline: split.remarks };
        return await deps.forge.submitReview(p.repository, p.itemNumber, placed);
      } catch (error) {
        // A line that the forge does not know must not cost the verdict.
        // guard: team: remarks that the forge refuses
        if (!(error instanceof ForgeRefused || error instanceof ForgeMissing)) throw error;
        return await deps.forge.submitReview(p.repository, p.itemNumber, whole);
      }
    },
  });
  if (submitted.kind === 'done') progress.published.reviewId = submitted.result.id;
  // For example, nobody may review their own pull request. The answer is then posted as a comment.
  if (submitted.kind === 'refused') {
    progress.published.refusals.push(submitted.reason);
    progress.notes.push(failureText({ kind: 'review', status: statusOf(submitted.error) }));
    await comment({ ...p, answer: body }, deps, progress);
  }
}
