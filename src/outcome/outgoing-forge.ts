/**
 * The only way to write to a forge: texts that pass here notify nobody and close nothing by themselves. Each call of the
 * port has an entry in the table below that says which of its arguments are texts; a new call without one does not compile.
 */
import type { Forge, ForgeMarker, ForgeWriter } from '../forges/forge.ts';
import { type OutgoingRules, outgoingBody, outgoingTitle } from '../security/outgoing.ts';

/** A client that may be written through. Only `outgoingForge` makes one. */
export type OutgoingForge = Forge & { readonly filtered: true };

/** A client that cannot be written through. */
export type ReadingForge = Omit<Forge, keyof ForgeWriter | keyof ForgeMarker | 'sendTestDelivery' | 'attach'>;

interface Words {
  body(text: string): string;
  title(text: string): string;
}

type Calls = Omit<Forge, 'name'>;
/** null = it carries no words of ours: it reads, or names what the forge has already */
type Filter<K extends keyof Calls> =
  | ((words: Words, call: Parameters<Calls[K]>) => Parameters<Calls[K]>)
  | null;

const FILTERS: { readonly [K in keyof Calls]: Filter<K> } = {
  createComment: (words, [repository, number, body]) => [repository, number, words.body(body)],
  editComment: (words, [repository, id, body]) => [repository, id, words.body(body)],
  createIssue: (words, [repository, issue]) => [
    repository,
    { title: words.title(issue.title), body: words.body(issue.body) },
  ],
  openPull: (words, [repository, pull]) => [
    repository,
    { ...pull, title: words.title(pull.title), body: words.body(pull.body) },
  ],
  updatePull: (words, [repository, number, { title, body, base }]) => [
    repository,
    number,
    {
      ...(title === undefined ? {} : { title: words.title(title) }),
      ...(body === undefined ? {} : { body: words.body(body) }),
      ...(base === undefined ? {} : { base }),
    },
  ],
  submitReview: (words, [repository, number, review]) => [
    repository,
    number,
    {
      ...review,
      body: words.body(review.body),
      inline: review.inline.map((one) => ({ ...one, body: words.body(one.body) })),
    },
  ],
  setStatus: (words, [repository, sha, status]) => [
    repository,
    sha,
    { ...status, description: words.title(status.description) },
  ],
  // The forge words the message of a merge from the pull request: what is in there was looked at when it was opened.
  merge: null,
  // A file has no words that a forge would act on; its name is ours.
  attach: null,
  listAttachments: null,
  readAttachment: null,
  deleteComment: null,
  addLabels: null,
  removeLabel: null,
  setAssignees: null,
  requestReview: null,
  react: null,
  self: null,
  commitAddress: null,
  getRepository: null,
  getItem: null,
  mergeRules: null,
  listComments: null,
  listReviews: null,
  listDependencies: null,
  ciState: null,
  findPulls: null,
  getComment: null,
  listItems: null,
  listLabels: null,
  listRuns: null,
  listJobs: null,
  readLog: null,
  permissionOf: null,
  version: null,
  listHooks: null,
  serverTime: null,
  tokenScopes: null,
  identifyRepository: null,
  timeline: null,
  findReviewComment: null,
  dismissedReviews: null,
  findRepository: null,
  listRepositories: null,
  listAssignable: null,
  listOwnerHooks: null,
  changedItems: null,
  openForSelf: null,
  changedComments: null,
  history: null,
  ciResults: null,
  // A delivery that means nothing, worded by the forge.
  sendTestDelivery: null,
};

/** `rules` is asked at each call, because a run can read a stranger's words at any time and is restricted from then on. */
export function outgoingForge(forge: Forge, rules: () => OutgoingRules): OutgoingForge {
  return new Proxy(forge as OutgoingForge, {
    get(_target, name) {
      if (name === 'filtered') return true;
      const member = (forge as unknown as Record<string | symbol, unknown>)[name];
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => member.apply(forge, filtered(String(name), args, rules()));
    },
  });
}

function filtered(name: string, args: unknown[], rules: OutgoingRules): unknown[] {
  // guard: outgoing: unknown calls
  if (!Object.hasOwn(FILTERS, name)) {
    throw new Error(
      `The call ${name} has no filter for what it says. Name it in src/outcome/outgoing-forge.ts.`,
    );
  }
  const filter = FILTERS[name as keyof Calls] as ((words: Words, call: unknown[]) => unknown[]) | null;
  if (filter === null) return args;
  const words = {
    body: (text: string) => outgoingBody(text, rules),
    title: (text: string) => outgoingTitle(text, rules),
  };
  // guard: outgoing: one way out
  return filter(words, args);
}
