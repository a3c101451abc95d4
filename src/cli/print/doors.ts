/** What passed the doors to packages and to hosts, and what was refused there. */
import { oneLine, type Paint, plain, showTime } from '../../terminal-text.ts';
import type { DoorEntry, DoorsView } from '../../views/doors.ts';
import { columns } from './columns.ts';

export function renderDoors(view: DoorsView, paint: Paint = plain): string {
  const used = view.doors.filter((door) => door.allowed + door.denied + door.failed > 0);
  if (used.length === 0) return 'Nobody has asked for anything at the doors to packages and to hosts.';
  const totals = used.map(
    (d) =>
      `${d.door}: ${d.allowed} passed, ${d.denied} refused, ${d.failed} failed; ${size(d.sent)} sent, ${size(d.received)} received`,
  );
  const more = view.more === 0 ? [] : [`… and ${view.more} more (--limit)`];
  const cut = view.isCut ? ['Older rows of the audit are not counted.'] : [];
  return [...totals, '', ...table(view.entries, paint), ...more, ...cut].join('\n').trimEnd();
}

function table(entries: readonly DoorEntry[], paint: Paint): string[] {
  if (entries.length === 0) return [];
  return columns([
    ['last', 'door', 'times', 'sent', 'received', 'verdict', 'what'].map((title) => paint('title', title)),
    ...entries.map((e) => [
      showTime(e.last),
      e.door,
      String(e.times),
      size(e.sent),
      size(e.received),
      paint(e.decision === 'allowed' ? 'good' : 'bad', oneLine(e.verdict, 30)),
      oneLine(e.reason === null ? e.action : `${e.action}: ${e.reason}`, 140),
    ]),
  ]);
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = -1;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}
