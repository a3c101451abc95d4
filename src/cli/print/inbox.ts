/** What waits for a person, as text. */
import { oneLine, type Paint, plain, showTime } from '../../terminal-text.ts';
import type { AskView, Inbox } from '../../views/inbox.ts';
import { columns, indent } from './columns.ts';
import { SHOWN_ID } from './conversations.ts';

export function renderInbox({ asks, open }: Inbox, paint: Paint = plain): string {
  if (open === 0) return 'Nothing waits for a person.';
  const lines = columns([
    ['entry', 'since', 'what', 'item', 'agent'].map((title) => paint('title', title)),
    ...asks.map((ask) => [
      ask.id.slice(0, SHOWN_ID),
      showTime(ask.openedAt),
      paint(ask.kind === 'failed' || ask.kind === 'unposted' ? 'bad' : 'waiting', ask.kind),
      `${ask.forge}:${oneLine(ask.repository, 80)}#${ask.number}`,
      ask.agent ?? '-',
    ]),
  ]);
  const [title, ...rows] = lines;
  const more = open - asks.length;
  return [
    title!,
    ...rows.flatMap((line, i) => [line, ...indent(wordsOf(asks[i]!))]),
    ...(more > 0 ? [`… and ${more} more; raise --limit to see them`] : []),
  ].join('\n');
}

function wordsOf({ text, remedy }: AskView): string[] {
  return [oneLine(text, 300), remedy];
}
