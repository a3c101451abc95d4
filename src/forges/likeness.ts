/**
 * The likeness of an event: what happened to what, without the exact second and without what a webhook may say otherwise
 * than the forge's history. Two events with one likeness, close in time, are one happening. Pure.
 */
import type { ForgeEvent } from '../vocabulary.ts';
import { hash } from './new-event.ts';

/** Null for a push, which is not looked for. */
export function likenessOf(event: ForgeEvent): string | null {
  const object = objectOf(event);
  return object === null ? null : `${event.repository.id}:${event.name}:${object}:${hash(contentOf(event))}`;
}

function objectOf({ comment, item, ci, push }: ForgeEvent): string | null {
  if (push !== null) return null;
  if (comment !== null) return `comment:${comment.id}`;
  if (ci !== null) return `commit:${ci.headSha}`;
  return item === null ? null : `${item.kind}:${item.number}`;
}

function contentOf(event: ForgeEvent): unknown {
  const { name, sender, item, review, pull, ci, comment, requestedReviewer } = event;
  switch (name) {
    case 'comment.edited':
      return [comment!.body];
    case 'issue.assigned':
    case 'issue.unassigned':
    case 'pull.assigned':
    case 'pull.unassigned':
      return [sender.id, sorted(item!.assignees)];
    case 'issue.labeled':
    case 'pull.labeled':
      return [sender.id, sorted(item!.labels)];
    case 'issue.edited':
    case 'pull.edited':
      return [item!.title, item!.body, pull?.baseRef ?? ''];
    case 'issue.closed':
    case 'issue.reopened':
    case 'pull.closed':
    case 'pull.reopened':
      return [sender.id];
    case 'pull.synchronized':
      return [pull?.headSha];
    case 'pull.review_requested':
    case 'pull.review_request_removed':
      return [sender.id, requestedReviewer?.toLowerCase()];
    case 'review.submitted':
      return [sender.id, review!.verdict, review!.body];
    case 'ci.failed':
    case 'ci.succeeded':
      return [ci!.workflow, ci!.htmlUrl];
    default:
      // Opened, merged, a comment written or deleted: once in the life of the object.
      return [];
  }
}

function sorted(names: readonly string[]): string[] {
  return names.map((name) => name.toLowerCase()).sort();
}

/** A forge stamps whole seconds, and an act may take until the next one. */
const SECONDS_MS = 2000;
/** Webhooks of a push or a review may carry the time of the change before it. */
const STALE_MS = 10 * 60_000;
const EVER = Number.MAX_SAFE_INTEGER;

/** How much earlier and later than the forge's history a webhook of this kind may say it was. */
export function slackOf(name: ForgeEvent['name']): { earlier: number; later: number } {
  if (/\.opened$|\.merged$|^comment\.(?:created|deleted)$/.test(name)) return { earlier: EVER, later: EVER };
  // The text of now, whenever it was written.
  if (name === 'issue.edited' || name === 'pull.edited') return { earlier: EVER, later: SECONDS_MS };
  const isStale = name === 'pull.synchronized' || name === 'review.submitted';
  return { earlier: isStale ? STALE_MS : SECONDS_MS, later: SECONDS_MS };
}

/** Whether a webhook's event, which says `saidAt`, may be what the history has at `at`; unix ms, NaN = it says no time. */
export function isNear(name: ForgeEvent['name'], { saidAt, at }: { saidAt: number; at: number }): boolean {
  if (Number.isNaN(saidAt) || Number.isNaN(at)) return true;
  const { earlier, later } = slackOf(name);
  return saidAt >= at - earlier && saidAt <= at + later;
}
