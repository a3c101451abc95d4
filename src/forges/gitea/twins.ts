/**
 * From what an item is now and what was done to it, back to the events that webhooks would have told. Pure. The bodies of
 * the webhooks are built anew and read by the parsers of the webhooks, so that both make the same event, key included.
 */
import { findMentions } from '../../mentions.ts';
import type { EventName } from '../../vocabulary.ts';
import type { Happened } from '../changes.ts';
import { eventText } from '../event-limits.ts';
import { likenessOf } from '../likeness.ts';
import { textDigest } from '../seen-text.ts';
import { reviewTwins } from './review-twins.ts';
import { type Snapshot, type Step, snapshots } from './snapshots.ts';
import { type ItemHistory, type ItemTwin, itemBody, textOfComment, twin } from './twin-bodies.ts';

export function happenedOn(history: ItemHistory): Happened[] {
  const { steps, born } = snapshots(history);
  const found = [
    ...openedTwin(history, born),
    ...stepTwins(history, steps),
    ...(Date.parse(history.issue.created_at) >= history.since ? [] : textTwin(history)),
    ...reviewTwins(history),
  ];
  const byKey = new Map(found.toReversed().map((one) => [one.event.semanticKey, one]));
  return [...byKey.values()].reverse().sort(inOrder);
}

function inOrder(a: Happened, b: Happened): number {
  return Date.parse(a.event.occurredAt) - Date.parse(b.event.occurredAt) || rank(a) - rank(b);
}

/** An item is there before anything is done to it, and a merged one is closed after all else. */
function rank({ event: { name } }: Happened): number {
  if (name.endsWith('.opened')) return 0;
  return name.endsWith('.merged') || name.endsWith('.closed') ? 2 : 1;
}

function itemTwin(history: ItemHistory, what: ItemTwin): Happened['event'] | null {
  const { parse, body } = itemBody(history, what);
  return twin(history, parse, body);
}

function openedTwin(history: ItemHistory, born: Snapshot): Happened[] {
  const { issue, since } = history;
  if (!(Date.parse(issue.created_at) >= since)) return [];
  const event = itemTwin(history, {
    action: 'opened',
    at: issue.created_at,
    by: issue.user,
    snapshot: born,
  });
  if (event === null) return [];
  // An edit of its description since is told with it, as what it says now.
  const { now } = snapshots(history);
  const edited = itemTwin(history, { action: 'edited', at: issue.updated_at, by: issue.user, snapshot: now });
  const likeness = edited === null ? null : likenessOf(edited);
  const likenesses = likeness === null ? [] : [{ likeness, at: issue.updated_at }];
  const [editedSince] = textTwin(history);
  return [editedSince === undefined ? { event, likenesses } : { event, likenesses, editedSince }];
}

function stepTwins(history: ItemHistory, steps: Step[]): Happened[] {
  const found: Happened[] = [];
  for (const [index, step] of steps.entries()) {
    const isNews = Date.parse(step.entry.created_at) >= history.since;
    if (step.entry.type === 'comment') found.push(...commentTwin(history, step, isNews));
    else if (step.entry.type === 'label') {
      // One call may change several labels, and is told once.
      if (isNews && !isSameCall(step, steps[index + 1])) found.push(...labelTwin(history, steps, index));
    } else if (isNews) found.push(...entryTwin(history, step));
  }
  return found;
}

function isSameCall(a: Step, b: Step | undefined): boolean {
  if (b === undefined || b.entry.type !== 'label') return false;
  return a.entry.created_at === b.entry.created_at && a.by.id === b.by.id;
}

function labelTwin(history: ItemHistory, steps: Step[], last: number): Happened[] {
  let first = last;
  while (first > 0 && isSameCall(steps[first - 1]!, steps[last])) first -= 1;
  const { by, entry, after } = steps[last]!;
  const { before } = steps[first]!;
  const at = entry.created_at;
  const isCleared = after.labels.length === 0;
  // A clearing lists the labels that were there.
  const told = isCleared
    ? { action: 'label_cleared', snapshot: { ...after, labels: before.labels } }
    : { action: 'label_updated', snapshot: after };
  const event = itemTwin(history, { at, by, ...told });
  if (event === null) return [];
  // Two calls within a second, or a list that is that of before (Gitea after a PUT), look like this.
  const others = [before, ...steps.slice(first, last).map((step) => step.after)];
  const likenesses = others.flatMap(({ labels }) => {
    const names = labels.map(({ name }) => name);
    const likeness = likenessOf({ ...event, item: { ...event.item!, labels: names } });
    return likeness === null ? [] : [{ likeness, at }];
  });
  return [{ event, likenesses }];
}

/** A comment that was written and edited since is told once, as what it says now. */
function commentTwin(history: ItemHistory, { entry, by, after }: Step, isNew: boolean): Happened[] {
  const { id, body, html_url, created_at, updated_at } = entry;
  const comment = { id, body, html_url, user: by, created_at, updated_at };
  return textOfComment(history, { comment, by, isNew, snapshot: after });
}

const ACTIONS: Readonly<Record<string, string>> = {
  close: 'closed',
  reopen: 'reopened',
  merge_pull: 'closed',
  pull_push: 'synchronized',
  change_title: 'edited',
  change_target_branch: 'edited',
};

function entryTwin(history: ItemHistory, { entry, by, after }: Step): Happened[] {
  const base = { at: entry.created_at, by, snapshot: after };
  const gone = entry.removed_assignee === true;
  const made = (what: Pick<ItemTwin, 'action'> & Partial<ItemTwin>): Happened[] => {
    const event = itemTwin(history, { ...base, ...what });
    return event === null ? [] : [{ event, likenesses: [] }];
  };
  if (entry.type === 'assignees') return made({ action: gone ? 'unassigned' : 'assigned' });
  if (entry.type === 'review_request') {
    // Of a team's request each member has a webhook; who the members are is not told.
    if (!entry.assignee || history.pull === null) return [];
    const action = gone ? 'review_request_removed' : 'review_requested';
    return made({ action, requested_reviewer: entry.assignee });
  }
  const action = Object.hasOwn(ACTIONS, entry.type) ? ACTIONS[entry.type]! : null;
  if (action === null || (action === 'synchronized' && history.pull === null)) return [];
  return made({ action });
}

/** The description: nobody notes who edited it, and when is known only when nothing happened since. */
function textTwin(history: ItemHistory): Happened[] {
  const { issue, seenText } = history;
  if (seenText === null) return [];
  if (textDigest(issue.body) === seenText.digest) return [];
  const event = itemTwin(history, {
    action: 'edited',
    at: issue.updated_at,
    by: issue.user,
    snapshot: snapshots(history).now,
    changes: { body: { from: '' } },
  });
  if (event === null) return [];
  const known = new Set(seenText.mentions);
  const mentions = findMentions(eventText(issue.body)).filter((login) => !known.has(login));
  return [{ event: { ...event, mentions }, likenesses: [], isSenderAssumed: true }];
}

/** For tests: which names a history can tell. CI and deletions are asked for elsewhere, and a push wakes nobody. */
export const TOLD_ELSEWHERE: readonly EventName[] = ['push', 'comment.deleted', 'ci.failed', 'ci.succeeded'];
