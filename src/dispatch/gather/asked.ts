/** When something was asked of an agent, in the order that the forge itself gives what happens on its items. */
import type { TimelineEntry } from '../../forges/forge.ts';
import type { EventName, ForgeEvent } from '../../vocabulary.ts';
import type { Evidence } from './evidence.ts';
import type { CarriedMessage } from './messages.ts';

export interface Asked {
  /** comments and what is done to items share one sequence of ids; null = what was asked has no such id */
  id: number | null;
  /** unix ms, in whole seconds; 0 = not known, so that everything comes after it */
  at: number;
}

/** The entry that shows who did it. */
const SHOWN_AS: Partial<Record<EventName, readonly TimelineEntry['kind'][]>> = {
  'issue.assigned': ['assigned'],
  'pull.assigned': ['assigned'],
  'issue.labeled': ['labeled'],
  'pull.labeled': ['labeled'],
  'pull.review_requested': ['requested', 'team-requested'],
  'issue.reopened': ['reopened'],
  'pull.reopened': ['reopened'],
};

/** `again`: an operator wants it anew, so it is asked when it came in. */
export async function askedAt(
  { event, receivedAt }: CarriedMessage,
  evidence: Evidence,
  again: boolean,
): Promise<Asked> {
  const at = wholeSeconds(again ? receivedAt : Date.parse(event.occurredAt));
  if (again) return { id: null, at };
  if (event.name === 'comment.created') return { id: event.comment!.id, at };
  const kinds = SHOWN_AS[event.name];
  if (kinds === undefined) return { id: null, at };
  const entries = await evidence.entries(event.item!.number, sinceOf(at));
  if (entries === 'unknown') return { id: null, at };
  const shown = entries.findLast((entry) => kinds.includes(entry.kind) && isOf(entry, event));
  return { id: shown?.id ?? null, at };
}

/** With times alone, an entry of the same second counts as later. */
export function isAfter(entry: TimelineEntry, asked: Asked): boolean {
  if (asked.id !== null) return entry.id > asked.id;
  return !(wholeSeconds(Date.parse(entry.at)) < asked.at);
}

/** Both clocks are the forge's, which stamps whole seconds. */
export function sinceOf(at: number): string | null {
  return at <= SLACK_MS ? null : new Date(at - SLACK_MS).toISOString();
}

const SLACK_MS = 60_000;

function isOf(entry: TimelineEntry, event: ForgeEvent): boolean {
  if (entry.by.id !== event.sender.id) return false;
  const subjects = [...event.added.assignees, ...event.added.labels, event.requestedReviewer ?? ''];
  if (entry.subjects.length === 0 || subjects.every((subject) => subject === '')) return true;
  return entry.subjects.some((subject) =>
    subjects.some((one) => one.toLowerCase() === subject.toLowerCase()),
  );
}

function wholeSeconds(ms: number): number {
  return Number.isNaN(ms) ? 0 : Math.max(0, Math.floor(ms / 1000) * 1000);
}
