/**
 * What people read on the forge while work goes on. Such texts are made only here: sentences of ours, a time, a login.
 * Output of programs, reasons in the forge's or the model's words, and prompts stay in the rows and the log. Pure.
 */
import { plainTime } from '../plain-time.ts';

export interface Work {
  state: 'queued' | 'running' | 'parked' | 'interrupted';
  /** asked, begun, or put off at this time; unix ms */
  since: number;
  /** of a wait; null = nobody knows */
  until: number | null;
  /** what keeps it from running: sentences; empty = nothing */
  holds: readonly string[];
  /** the last thing that the run did, in our words; null = not known */
  doing: string | null;
  /** where more is shown; null = nowhere */
  url: string | null;
}

/** The one comment of a dispatch while it goes on. */
export function workText(work: Work): string {
  return [sentenceOf(work), linkOf(work), 'I take this comment away when I am done.']
    .filter((part) => part !== '')
    .join(' ');
}

export const AT_WORK = 'I have been working on this';

function sentenceOf({ state, since, until, holds, doing }: Work): string {
  if (state === 'running') {
    return `${AT_WORK} since ${plainTime(since)}${doing === null ? '.' : `. Just now I ${doing}.`}`;
  }
  const [first, ...more] = holds;
  if (first !== undefined) return [first, ...more, 'What you write meanwhile is kept.'].join(' ');
  if (state === 'parked' && until !== null) {
    return `I wait until ${plainTime(until)}, because something that I need is not there: the forge, the model or the network. Then I go on by myself, and nothing is lost.`;
  }
  if (state === 'interrupted') {
    return 'I was interrupted, because the service that I run in was stopped or restarted. I go on by myself, where I was.';
  }
  return `I was asked this at ${plainTime(since)}. I begin by myself as soon as it is my turn.`;
}

function linkOf({ url }: Work): string {
  return url === null ? '' : `[See more](${url}).`;
}

const LONGEST_DESCRIPTION = 140;

/** Of a commit status, while work goes on. Forges show one short line. */
export function workDescription({ state, since, until, holds }: Work): string {
  if (state === 'running') return `Running since ${plainTime(since)}`;
  const line =
    holds[0] ??
    (state === 'parked' && until !== null
      ? `Waiting until ${plainTime(until)}; goes on by itself`
      : state === 'interrupted'
        ? 'Waiting: interrupted; goes on by itself'
        : 'Queued');
  return short(holds.length > 0 ? `Waiting: ${line}` : line);
}

export type Ended = 'succeeded' | 'unposted' | 'failed' | 'cancelled';

const ENDS: Record<Ended, { state: 'success' | 'error'; description: string }> = {
  succeeded: { state: 'success', description: 'Done' },
  cancelled: { state: 'success', description: 'Stopped, because it was not wanted any more' },
  failed: { state: 'error', description: 'Not done: the comment of the agent says why' },
  unposted: {
    state: 'error',
    description: 'Done, but the forge refused the answer; the operator can post it',
  },
};

export function endOf(state: Ended): { state: 'success' | 'error'; description: string } {
  return ENDS[state];
}

/** For the status of a commit that is no longer the head while work goes on. */
export const OVERTAKEN = { state: 'success', description: 'Went on at a newer commit' } as const;

function short(line: string): string {
  const plain = line.replaceAll('`', '');
  return plain.length <= LONGEST_DESCRIPTION ? plain : `${plain.slice(0, LONGEST_DESCRIPTION - 1)}…`;
}

const DOINGS: readonly [RegExp, string][] = [
  [/^(?:Edit|MultiEdit|Write|NotebookEdit)$/, 'changed files'],
  [/^(?:Read|Glob|Grep)$/, 'read files'],
  [/^Bash$/, 'ran a command'],
  [/^(?:Agent|Task)$/, 'gave a part of it to a helper'],
  [/^mcp__forge__/, 'asked the forge something'],
];

/** A tool's name only: what it was given can hold anything. */
export function doingOf(tool: string): string {
  return DOINGS.find(([name]) => name.test(tool))?.[1] ?? 'used a tool';
}
