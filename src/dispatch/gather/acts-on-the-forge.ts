/** Compares assignments, labels, review requests, pushes and CI with the forge: whether it happened, and who did it. */
import type { Item, TimelineEntry } from '../../forges/forge.ts';
import type { EventName, ForgeEvent } from '../../vocabulary.ts';
import type { Evidence } from './evidence.ts';
import { changed, type Finding, SECOND_MS, there, unknown } from './finding.ts';

export interface Act {
  event: ForgeEvent;
  item: Item;
  evidence: Evidence;
  /** of the agent that is woken */
  login: string;
  /** unix ms, by our clock */
  receivedAt: number;
}

/** What the timeline must say, and what must still be so. */
interface Expected {
  kinds: readonly TimelineEntry['kind'][];
  /** one of these; empty = whatever the entry is about */
  subjects: readonly string[];
  /** a clause; null = it is so */
  noLonger: string | null;
  /** a clause for a person: "assigned dev-bot" */
  did: string;
}

export async function actOnTheForge(act: Act): Promise<Finding> {
  const expected = expectedOf(act);
  const { event, item } = act;
  const { sender } = event;
  const isIt = (entry: TimelineEntry) =>
    // guard: intake: who assigned
    entry.by.id === sender.id && expected.kinds.includes(entry.kind) && isAbout(entry, expected);
  const found = await entryOf(act, isIt);
  if (found === null) return unknown(`${sender.login} has not ${expected.did} on #${item.number}`);
  // A team's request stands for each of its members, and the item then names the team.
  const isTeams = found !== 'unknown' && found.kind === 'team-requested';
  if (expected.noLonger !== null && !isTeams && !(await undoneByAgent(act, expected))) {
    return changed(expected.noLonger);
  }
  // Without a timeline the item alone is compared: only people with write permission can bring it there.
  if (found === 'unknown') return there(event, null);
  return there({ ...event, sender: found.by, occurredAt: found.at }, `entry:${found.id}`);
}

/** The same may have been done, undone and done again: the last time before the event counts. */
async function entryOf(
  act: Act,
  isIt: (entry: TimelineEntry) => boolean,
): Promise<TimelineEntry | null | 'unknown'> {
  const entries = await act.evidence.entries(act.item.number, sinceOf(act));
  if (entries === 'unknown') return 'unknown';
  const matching = entries.filter(isIt);
  const at = Date.parse(act.event.occurredAt);
  return matching.findLast((entry) => Date.parse(entry.at) <= at + SECOND_MS) ?? matching[0] ?? null;
}

const UNDO: readonly TimelineEntry['kind'][] = ['unassigned', 'unlabeled', 'withdrawn'];

/** The agent itself may have taken its label off in an attempt that was cut off: that takes nothing back. */
async function undoneByAgent(act: Act, expected: Expected): Promise<boolean> {
  const entries = await act.evidence.entries(act.item.number, sinceOf(act));
  if (entries === 'unknown') return false;
  const undone = entries.findLast((entry) => UNDO.includes(entry.kind) && isAbout(entry, expected));
  return undone !== undefined && has([act.login], undone.by.login);
}

function isAbout(entry: TimelineEntry, { subjects }: Expected): boolean {
  if (subjects.length === 0 || entry.kind === 'team-requested') return true;
  return entry.subjects.some((subject) => has(subjects, subject));
}

function has(names: readonly string[], name: string): boolean {
  return names.some((one) => one.toLowerCase() === name.toLowerCase());
}

/** The forge's clock and its database need not agree to the second. */
const SLACK_MS = 60_000;
/** For a delivery without a time our own clock is used, and that may differ from the forge's. */
const CLOCKS_MS = 60 * 60_000;

function sinceOf({ event, receivedAt }: Act): string {
  const at = Date.parse(event.occurredAt);
  return new Date(Number.isNaN(at) ? receivedAt - CLOCKS_MS : at - SLACK_MS).toISOString();
}

const STATES: Partial<Record<EventName, Pick<Expected, 'kinds' | 'did'>>> = {
  'issue.closed': { kinds: ['closed'], did: 'closed anything' },
  'issue.reopened': { kinds: ['reopened'], did: 'opened anything again' },
  'pull.closed': { kinds: ['closed'], did: 'closed anything' },
  'pull.reopened': { kinds: ['reopened'], did: 'opened anything again' },
  'pull.merged': { kinds: ['merged'], did: 'merged anything' },
};

function expectedOf(act: Act): Expected {
  const { event, item, login } = act;
  switch (event.name) {
    case 'issue.assigned':
    case 'pull.assigned': {
      const subjects = has(event.added.assignees, login) ? [login] : event.added.assignees;
      const isSo = subjects.length === 0 || subjects.some((name) => has(item.assignees, name));
      const names = subjects.join(', ');
      const noLonger = isSo ? null : `${names} is not assigned to #${item.number} any more`;
      return { kinds: ['assigned'], subjects, noLonger, did: `assigned ${names || 'anybody'}` };
    }
    case 'issue.labeled':
    case 'pull.labeled': {
      const subjects = event.added.labels;
      if (subjects.length === 0) {
        return { kinds: ['labeled', 'unlabeled'], subjects, noLonger: null, did: 'changed a label' };
      }
      const isSo = subjects.some((name) => has(item.labels, name));
      const noLonger = isSo ? null : `#${item.number} has lost the label ${subjects.join(', ')} again`;
      return { kinds: ['labeled'], subjects, noLonger, did: `added the label ${subjects.join(', ')}` };
    }
    case 'issue.unassigned':
    case 'pull.unassigned':
      return { kinds: ['unassigned'], subjects: [], noLonger: null, did: 'taken an assignee away' };
    case 'pull.review_requested':
      return requested(act);
    case 'pull.review_request_removed':
      return {
        kinds: ['withdrawn', 'team-withdrawn'],
        subjects: [],
        noLonger: null,
        did: 'withdrawn a request',
      };
    default: {
      const state = STATES[event.name] ?? { kinds: [], did: event.name };
      return { ...state, subjects: [], noLonger: noLongerIn(event.name, item) };
    }
  }
}

function requested({ event, item }: Act): Expected {
  const reviewer = event.requestedReviewer ?? '';
  const isSo = has(item.pull?.requestedReviewers ?? [], reviewer);
  return {
    kinds: ['requested', 'team-requested'],
    subjects: [reviewer],
    noLonger: isSo ? null : `${reviewer} is not asked for a review of #${item.number} any more`,
    did: `asked ${reviewer} for a review`,
  };
}

function noLongerIn(name: EventName, item: Item): string | null {
  const wanted = name.endsWith('.reopened') ? 'open' : 'closed';
  return item.state === wanted ? null : `#${item.number} is ${item.state} again`;
}

/** Who pushed is compared where the forge noted the push; the commit always. */
export async function pushOnTheForge(act: Act): Promise<Finding> {
  const { event, item, evidence } = act;
  const sha = event.pull?.headSha ?? '';
  if (item.pull === null) return unknown(`#${item.number} is an issue, and nothing is pushed to issues`);
  const found = await evidence.entry(
    item.number,
    sinceOf(act),
    (entry) => entry.kind === 'pushed' && entry.subjects.includes(sha),
  );
  if (found === null || found === 'unknown') {
    if (item.pull.headSha === sha) return there(event, `head:${item.number}:${sha}`);
    return unknown(`${sha.slice(0, 10)} was not pushed to #${item.number}`);
  }
  if (found.by.id !== event.sender.id) {
    return unknown(`${sha.slice(0, 10)} was pushed by ${found.by.login}, not by ${event.sender.login}`);
  }
  return there({ ...event, sender: found.by, occurredAt: found.at }, `entry:${found.id}`);
}

/** What failed is taken from the forge. A link is kept only if it leads to the repository's own pages. */
export async function ciOnTheForge(
  { event, item, evidence }: Act,
  hasPushed: (sha: string) => Promise<boolean>,
): Promise<Finding> {
  const ci = event.ci!;
  // Before there is a pull request, its work belongs to the issue.
  if (item.pull === null && !(await hasPushed(ci.headSha)))
    return unknown(`#${item.number} is an issue, and CI runs on commits`);
  if (item.state === 'closed') return changed(`#${item.number} is closed`);
  const known = await evidence.ci(ci.headSha);
  if (known.state === 'none') return unknown(`no CI ran on commit ${ci.headSha.slice(0, 10)}`);
  if (event.name === 'ci.failed' && known.state !== 'failure') {
    return changed(`CI of ${ci.headSha.slice(0, 10)} is not failed any more: it is ${known.state}`);
  }
  const isNamed = known.failed.some((name) => name === ci.workflow || name.startsWith(`${ci.workflow} /`));
  const workflow = event.name === 'ci.failed' && !isNamed ? known.failed.join(', ') : ci.workflow;
  const htmlUrl = ci.htmlUrl.startsWith(`${event.repository.htmlUrl}/`) ? ci.htmlUrl : '';
  return there({ ...event, ci: { ...ci, workflow, htmlUrl } }, null);
}
