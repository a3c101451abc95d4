/** Conversations as text. */
import { count, oneLine, type Paint, plain, showTime } from '../../terminal-text.ts';
import type { ConversationList } from '../../views/conversation-list.ts';
import type { ConversationSummary } from '../../views/conversation-summary.ts';
import type { ConversationDescription, SessionView } from '../../views/conversations.ts';
import type { UsageTotals } from '../../views/usage.ts';
import { columns, indent } from './columns.ts';
import { renderDispatch, showIncident } from './dispatch.ts';
import { markLines } from './marks.ts';
import { showState } from './state.ts';

/** Enough of a UUID to name it: 12 of its digits. */
export const SHOWN_ID = 13;

export function renderConversations(
  list: ConversationList,
  now: number = Date.now(),
  paint: Paint = plain,
): string {
  if (list.conversations.length === 0) {
    return 'No conversations yet. One begins when a flow takes an event; explain a delivery to see why it did not.';
  }
  const lines = columns([
    ['conversation', 'item', 'agent', 'spent', 'state', 'title'].map((title) => paint('title', title)),
    ...list.conversations.map((c) => [
      c.id.slice(0, SHOWN_ID),
      itemOf(c),
      c.agent,
      c.spentUsd === null ? 'unknown' : `$${c.spentUsd.toFixed(2)}`,
      showState(c.state, now, paint) +
        (c.waitingMessages > 0 ? `, ${count(c.waitingMessages, 'message')}` : '') +
        (c.unpostedAnswers > 0 ? `, ${count(c.unpostedAnswers, 'answer')} not posted` : ''),
      oneLine(c.title, 60),
    ]),
  ]);
  const more = list.total - list.conversations.length;
  return [...lines, ...(more > 0 ? [`… and ${more} more; raise the limit to see them`] : [])].join('\n');
}

export function renderDescriptions(
  { conversations }: { conversations: ConversationDescription[] },
  now: number = Date.now(),
  paint: Paint = plain,
): string {
  const texts = conversations.map((c) => renderDescription(c, now, paint));
  if (conversations.length < 2) return texts.join('\n\n');
  const each = conversations.map((c) => `  ${c.id}  ${c.agent} on ${itemOf(c)}`);
  const several = `${count(conversations.length, 'conversation')} of this item; to see one alone, name it by its id:`;
  return [[several, ...each].join('\n'), ...texts].join('\n\n');
}

function renderDescription(c: ConversationDescription, now: number, paint: Paint): string {
  const others = c.items.filter((n) => n !== c.number).map((n) => `#${n}`);
  return [
    `${c.agent} on ${itemOf(c)} (${c.kind}): ${showState(c.state, now, paint)}`,
    ...indent(
      columns([
        ['title', oneLine(c.title, 100)],
        ['conversation', c.id],
        ['branch', c.branch === null ? 'none yet' : oneLine(c.branch)],
        ...(others.length === 0 ? [] : [['joined by', others.join(', ')]]),
        ['waiting', count(c.waitingMessages, 'message')],
        ...(c.unpostedAnswers === 0 ? [] : [['not posted', showUnposted(c)]]),
        ['usage', showUsage(c.usage)],
        ...(c.ledger.requests === 0 ? [] : [['ledger', showLedger(c.ledger)]]),
      ]),
    ),
    ...section('sessions, oldest first', c.sessions.flatMap(sessionLines)),
    ...section(
      'dispatches, oldest first',
      c.dispatches.flatMap((d) => renderDispatch(d, paint)),
    ),
    ...(c.otherIncidents.length === 0
      ? []
      : section('incidents of dispatches that are gone', c.otherIncidents.map(showIncident))),
  ].join('\n');
}

function showUnposted({ unpostedAnswers, id }: ConversationSummary): string {
  return `${count(unpostedAnswers, 'answer')} refused by the forge; \`claude-hooks answers post ${id}\` posts the newest`;
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? ['', `${title}: none`] : ['', title, ...indent(lines)];
}

export function itemOf(c: Pick<ConversationSummary, 'forge' | 'repository' | 'number'>): string {
  return `${c.forge}:${oneLine(c.repository)}#${c.number}`;
}

function sessionLines(s: SessionView): string[] {
  const begun = s.continuity === null ? '' : `, began ${s.continuity}`;
  const written = s.synthesised ? ', written from the record' : '';
  const reason = s.reason === null ? '' : ` (${oneLine(s.reason)})`;
  const failed = s.failedResumes === 0 ? '' : `, ${count(s.failedResumes, 'failed resume')}`;
  const verified =
    s.verifiedAt === null
      ? `never verified, created ${showTime(s.createdAt)}`
      : `verified ${showTime(s.verifiedAt)} with ${s.size} bytes, CLI ${s.cliVersion ?? 'unknown'}`;
  return [
    `${s.ordinal}. ${s.id} ${s.state}${reason}${begun}${written}${failed}`,
    `   ${s.dispatches === 1 ? '1 dispatch' : `${s.dispatches} dispatches`}; ${verified}`,
    ...markLines(s.marks).map((line) => `   ${line}`),
  ];
}

function showUsage(u: UsageTotals): string {
  const tokens = [
    `${u.inputTokens} in`,
    `${u.outputTokens} out`,
    `${u.cacheReadTokens} read from the cache`,
    `${u.cacheWriteTokens} written to it`,
  ];
  return `${u.costUsd.toFixed(4)} USD by the CLI's estimate, ${count(u.turns, 'turn')}, tokens: ${tokens.join(', ')}`;
}

/** Counted at the gateway, by published prices: the CLI's estimate knows only of runs that ended. */
function showLedger(l: ConversationDescription['ledger']): string {
  const price =
    l.microUsd === null ? 'no price known for one of its models' : `${(l.microUsd / 1e6).toFixed(4)} USD`;
  const news = l.inputTokens + l.cacheWriteTokens;
  return `${price}, ${count(l.requests, 'request')} to the model, tokens: ${news} new, ${l.outputTokens} out, ${l.cacheReadTokens} from the cache`;
}
