/** Reads webhook bodies of Forgejo and Gitea. */
import { shapeProblem } from '../json-shape.ts';
import type { ParseDelivery } from '../kit.ts';
import { parseActionRun, parseStatus, parseWorkflowRun } from './ci.ts';
import { parseComment, parseCommentOrReview, parseIssue, parsePull, parsePush } from './events.ts';
import { type FamilyMember, isMember } from './member.ts';
import { type Arrival, type Handler, ignored, malformed } from './outcomes.ts';

/**
 * By fine event name (X-*-Event-Type). The coarse name is ambiguous: `pull_request_comment` there is a review, while a
 * comment on a pull request is `issue_comment`. Servers that send no fine name appear with their coarse one.
 */
const COMMON: Readonly<Record<string, Handler>> = {
  issues: parseIssue,
  issue_assign: parseIssue,
  issue_label: parseIssue,
  issue_milestone: parseIssue,
  issue_comment: parseComment,
  pull_request: parsePull,
  pull_request_assign: parsePull,
  pull_request_label: parsePull,
  pull_request_milestone: parsePull,
  pull_request_sync: parsePull,
  pull_request_review_request: parsePull,
  pull_request_review_approved: parsePull,
  pull_request_review_rejected: parsePull,
  pull_request_review_comment: parsePull,
  pull_request_approved: parsePull,
  pull_request_rejected: parsePull,
  pull_request_comment: parseCommentOrReview,
  push: parsePush,
};

/** What only one of the two sends. */
const OWN: Readonly<Record<FamilyMember, Readonly<Record<string, Handler>>>> = {
  forgejo: {
    action_run_success: parseActionRun,
    action_run_failure: parseActionRun,
  },
  gitea: { workflow_run: parseWorkflowRun, status: parseStatus },
};

/** Pure: no network, no clock. Expects a body whose signature was verified. */
export const parseGiteaFamilyDelivery: ParseDelivery = (forge, headers, body) => {
  const arrival: Arrival = { forge, headers };
  const { kind, eventType } = headers;
  if (!isMember(kind)) return ignored(`${kind} is neither Forgejo nor Gitea`);
  const handler = find(COMMON, eventType) ?? find(OWN[kind], eventType);
  if (handler === null)
    return ignored(`${eventType.slice(0, 80)}: no event is made of this kind of delivery`);
  const read = readJson(body);
  return 'problem' in read ? malformed(arrival, read.problem) : handler(arrival, read.value);
};

function find(handlers: Readonly<Record<string, Handler>>, eventType: string): Handler | null {
  return Object.hasOwn(handlers, eventType) ? handlers[eventType]! : null;
}

function readJson(body: Uint8Array): { value: unknown } | { problem: string } {
  const problem = shapeProblem(body);
  if (problem !== null) return { problem };
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) };
  } catch (error) {
    // V8 quotes the body in its message. The first line is enough to find the place.
    return {
      problem: `it is not JSON (${String((error as Error).message)
        .split('\n')[0]!
        .slice(0, 200)})`,
    };
  }
}
