/** What an item was like after each thing that was done to it, walked back from what it is now. Pure. */
import type { ForgeUser } from '../../vocabulary.ts';
import { commitsIn, type TimelineAnswer } from './evidence.ts';
import type { IssueObject, PullRequestObject } from './payloads.ts';

/** The fields of an issue or a pull request that events change, as the forge names them. */
export interface Snapshot {
  title: string;
  state: string;
  merged: boolean;
  labels: { name: string }[];
  assignees: ForgeUser[];
  headSha: string;
  baseRef: string;
}

export interface Step {
  entry: TimelineAnswer;
  by: ForgeUser;
  before: Snapshot;
  after: Snapshot;
}

export interface Walked {
  /** oldest first; those of no known account are left out */
  steps: Step[];
  /** as it was opened, with what it was born with */
  born: Snapshot;
  now: Snapshot;
}

interface Known {
  issue: IssueObject;
  pull: PullRequestObject | null;
  entries: readonly TimelineAnswer[];
}

export function snapshots({ issue, pull, entries }: Known): Walked {
  const now = snapshotOf(issue, pull);
  const steps: Step[] = [];
  let current = now;
  for (const entry of entries.toReversed()) {
    const before = undone(current, entry);
    if (entry.user) {
      const { id, login } = entry.user;
      steps.push({ entry, by: { id, login }, before, after: current });
    }
    current = before;
  }
  steps.reverse();
  setHeads(steps, now.headSha);
  return { steps, born: bornAs(current, steps, issue), now };
}

function snapshotOf(issue: IssueObject, pull: PullRequestObject | null): Snapshot {
  const assignees = issue.assignees.length === 0 && issue.assignee ? [issue.assignee] : issue.assignees;
  return {
    title: issue.title,
    state: issue.state,
    merged: pull?.merged ?? false,
    labels: issue.labels.map(({ name }) => ({ name })),
    assignees: assignees.map(({ id, login }) => ({ id, login })),
    headSha: pull?.head.sha ?? '',
    baseRef: pull?.base.ref ?? '',
  };
}

function undone(after: Snapshot, entry: TimelineAnswer): Snapshot {
  const { type } = entry;
  switch (type) {
    case 'assignees':
      return { ...after, assignees: withoutAssignment(after.assignees, entry) };
    case 'label':
      return { ...after, labels: withoutLabel(after.labels, entry) };
    case 'close':
      return { ...after, state: 'open' };
    case 'merge_pull':
      return { ...after, state: 'open', merged: false };
    case 'reopen':
      return { ...after, state: 'closed' };
    case 'change_title':
      return entry.old_title === '' ? after : { ...after, title: entry.old_title };
    case 'change_target_branch':
      return entry.old_ref === '' ? after : { ...after, baseRef: entry.old_ref };
    default:
      return after;
  }
}

function withoutAssignment(assignees: ForgeUser[], { assignee, removed_assignee }: TimelineAnswer) {
  if (!assignee) return assignees;
  const others = assignees.filter(({ id }) => id !== assignee.id);
  return removed_assignee === true ? [...others, { id: assignee.id, login: assignee.login }] : others;
}

/** The entry of a label that was added says "1"; of one that was taken off it says nothing. */
function withoutLabel(labels: { name: string }[], { label, body }: TimelineAnswer) {
  if (!label || label.name === '') return labels;
  const others = labels.filter(({ name }) => name !== label.name);
  return body === '' ? [...others, { name: label.name }] : others;
}

/** What an item is made with is in its first webhook already, although the forge notes it as done to it. */
function bornAs(first: Snapshot, steps: readonly Step[], issue: IssueObject): Snapshot {
  const until = Date.parse(issue.created_at) + 1000;
  let born = first;
  for (const { entry, by, after } of steps) {
    const isBirth = entry.type === 'assignees' || entry.type === 'label';
    if (!isBirth || by.id !== issue.user.id || Date.parse(entry.created_at) > until) break;
    born = after;
  }
  return born;
}

/** The heads between two pushes. Before the first one, the head of now stands for a commit that nobody names. */
function setHeads(steps: Step[], now: string): void {
  let head = now;
  for (const step of steps) {
    const before = head;
    if (step.entry.type === 'pull_push') head = commitsIn(step.entry.body).at(-1) ?? now;
    step.before = { ...step.before, headSha: before };
    step.after = { ...step.after, headSha: head };
  }
}
