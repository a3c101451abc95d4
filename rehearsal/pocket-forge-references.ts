/**
 * Closing and opening issues by words, as Forgejo and Gitea do it: in commits that reach the default branch, and at the
 * merge of a pull request for what its title, its description and its comments say. Whoever pushes or merges does it.
 */
import { splitMarkdown } from '../src/mentions.ts';
import { fullName, isPull, may, type PullItem, repositoryById, userById } from './pocket-forge-access.ts';
import type { PocketContext } from './pocket-forge-context.ts';
import { setItemState } from './pocket-forge-issues.ts';
import type { StoredItem, StoredRepository, StoredUser } from './pocket-forge-state.ts';

interface Reference {
  /** null = the repository it is written in */
  repository: string | null;
  number: number;
  state: 'open' | 'closed';
}

/** The keyword, perhaps a colon, one space, and directly after it what it names. */
const REFERENCE =
  /(?:^|[\s([])(close[sd]?|fix(?:e[sd])?|resolve[sd]?|reopen(?:s|ed)?):? (?:([\w.-]+\/[\w.-]+)?[#!]|(https?:\/\/[^\s/]+(?:\/[^\s/]+)*\/(?=[\w.-]+\/[\w.-]+\/(?:issues|pulls)\/))([\w.-]+\/[\w.-]+)\/(?:issues|pulls)\/)(\d+)(?=$|[\s)\]'"]|[:;,.?!](?:\s|$))/gimu;

function referencesIn(text: string, url: string): Reference[] {
  const found: Reference[] = [];
  for (const [, word, short, base, long, number] of text.matchAll(REFERENCE)) {
    if (base !== undefined && base !== `${url}/`) continue;
    const state = /^reopen/i.test(word!) ? 'open' : 'closed';
    found.push({ repository: short ?? long ?? null, number: Number(number), state });
  }
  return found;
}

/** References in code and in HTML comments do not count. */
function prose(markdown: string): string {
  return splitMarkdown(markdown)
    .map((part) => (part.prose ? part.text : '\n'))
    .join('');
}

interface Referring {
  repository: StoredRepository;
  actor: StoredUser;
  commit: string;
}

/** Commit messages are raw text: nothing in them is code. */
export function actOnCommit(context: PocketContext, o: Referring & { text: string }): void {
  for (const reference of referencesIn(o.text, context.url)) {
    const issue = issueOf(context, o.repository, reference);
    if (issue !== null && maySteer(context, issue, o.actor)) act(context, o, { issue, reference });
  }
}

/** A comment counts if its author may close the issue. For the rest, the permission of whoever merges counts. */
export function actOnMerge(
  context: PocketContext,
  o: Omit<Referring, 'repository'> & { item: PullItem },
): void {
  const { item } = o;
  const repository = repositoryById(context.state, item.repository);
  const said: { text: string; by: number | null }[] = [
    { text: item.title, by: null },
    { text: prose(item.body), by: null },
  ];
  for (const comment of context.state.comments.filter((c) => c.item === item.id)) {
    said.push({ text: prose(comment.body), by: comment.author });
  }
  for (const review of context.state.reviews.filter((r) => r.item === item.id)) {
    said.push(...review.comments.map((c) => ({ text: prose(c.body), by: review.author })));
  }
  for (const { text, by } of said) {
    for (const reference of referencesIn(text, context.url)) {
      const issue = issueOf(context, repository, reference);
      if (issue === null) continue;
      const isElsewhere = issue.repository !== repository.id;
      const decider = by ?? (isElsewhere ? item.author : null);
      const allowed = decider === null || maySteer(context, issue, userById(context.state, decider));
      if (allowed) act(context, { ...o, repository }, { issue, reference });
    }
  }
}

function act(
  context: PocketContext,
  { actor, commit }: Referring,
  { issue, reference }: { issue: StoredItem; reference: Reference },
): void {
  setItemState(context, { item: issue, actor, state: reference.state, commit });
}

function maySteer(context: PocketContext, issue: StoredItem, user: StoredUser): boolean {
  return issue.author === user.id || may(repositoryById(context.state, issue.repository), user, 'write');
}

function issueOf(
  context: PocketContext,
  here: StoredRepository,
  { repository, number }: Reference,
): StoredItem | null {
  const wanted = (repository ?? fullName(context.state, here)).toLowerCase();
  const found = context.state.items.find((item) => {
    if (item.number !== number || isPull(item)) return false;
    return fullName(context.state, repositoryById(context.state, item.repository)).toLowerCase() === wanted;
  });
  return found ?? null;
}
