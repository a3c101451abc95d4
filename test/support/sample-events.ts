/** Events as a parser would make them, for tests of what happens after parsing. */
import type { EventItem, EventPull, ForgeEvent } from '../../src/vocabulary.ts';

export const alice = { id: 7, login: 'alice' };
export const devBot = { id: 20, login: 'dev-bot' };
export const reviewBot = { id: 21, login: 'review-bot' };
const actions = { id: -2, login: 'forgejo-actions' };

const issue: EventItem = {
  kind: 'issue',
  number: 12,
  title: 'Totals are wrong',
  body: 'The sum of two prices is off by one.',
  state: 'open',
  htmlUrl: 'https://forge.example.org/team/shop/issues/12',
  author: alice,
  labels: ['bug'],
  assignees: [],
};

const pullItem: EventItem = {
  ...issue,
  kind: 'pull',
  number: 13,
  title: 'Correct totals',
  body: 'Closes #12',
  author: devBot,
  htmlUrl: 'https://forge.example.org/team/shop/pulls/13',
};

const pull: EventPull = {
  headSha: 'a'.repeat(40),
  headRef: 'dev/12-totals',
  headRepository: 'team/shop',
  baseRef: 'main',
  baseSha: 'b'.repeat(40),
  merged: false,
  draft: false,
  fork: false,
  requestedReviewers: [],
};

function event(partial: Partial<ForgeEvent> & Pick<ForgeEvent, 'name'>): ForgeEvent {
  return {
    forge: 'home',
    repository: {
      id: '3',
      fullName: 'team/shop',
      defaultBranch: 'main',
      cloneUrl: 'https://forge.example.org/team/shop.git',
      htmlUrl: 'https://forge.example.org/team/shop',
      private: false,
    },
    item: issue,
    sender: alice,
    pull: null,
    comment: null,
    review: null,
    ci: null,
    push: null,
    requestedReviewer: null,
    mentions: [],
    added: { assignees: [], labels: [] },
    occurredAt: '2026-01-02T03:04:05Z',
    semanticKey: 'sample',
    ...partial,
  };
}

const onPull = { item: pullItem, pull };

export function commentEvent(body: string, partial: Partial<ForgeEvent> = {}): ForgeEvent {
  const sender = partial.sender ?? alice;
  const mentions = [...body.matchAll(/@([\w-]+)/g)].map((match) => match[1]!.toLowerCase());
  const comment = { id: 501, body, htmlUrl: `${issue.htmlUrl}#issuecomment-501`, author: sender };
  return event({ name: 'comment.created', comment, mentions, ...partial });
}

export function assignedEvent(login: string, kind: 'issue' | 'pull' = 'issue'): ForgeEvent {
  const added = { assignees: [login], labels: [] };
  return kind === 'issue'
    ? event({ name: 'issue.assigned', added })
    : event({ name: 'pull.assigned', added, ...onPull });
}

export function labeledEvent(label: string): ForgeEvent {
  return event({ name: 'issue.labeled', added: { assignees: [], labels: [label] } });
}

export function reviewEvent(review: NonNullable<ForgeEvent['review']>, sender = reviewBot): ForgeEvent {
  return event({ name: 'review.submitted', review, sender, ...onPull });
}

export function reviewRequestedEvent(login: string): ForgeEvent {
  return event({ name: 'pull.review_requested', requestedReviewer: login, ...onPull });
}

export function synchronizedEvent(sender = devBot): ForgeEvent {
  return event({ name: 'pull.synchronized', sender, ...onPull });
}

/** Forgejo names the account that pushed as the one who caused the run. */
export function ciFailedEvent({ headSha = pull.headSha, sender = devBot } = {}): ForgeEvent {
  const ci = {
    status: 'failure',
    workflow: 'test.yml',
    headSha,
    htmlUrl: 'https://forge.example.org/team/shop/actions/runs/4',
  };
  return event({ name: 'ci.failed', ci, sender, ...onPull });
}

export function pushEvent(): ForgeEvent {
  return event({
    name: 'push',
    item: null,
    push: { ref: 'refs/heads/main', before: 'b', after: 'c' },
    sender: actions,
  });
}
