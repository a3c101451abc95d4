/** What agents tried, as a table. */
import { oneLine, type Paint, plain, showTime } from '../../terminal-text.ts';
import type { AuditView } from '../../views/audit.ts';
import { columns } from './columns.ts';

export function renderAudit(entries: AuditView[], paint: Paint = plain): string {
  if (entries.length === 0) return 'Nothing like that has been tried.';
  return columns([
    ['time', 'door', 'agent', 'decision', 'action'].map((title) => paint('title', title)),
    ...entries.map((e) => [
      showTime(e.at),
      e.door,
      e.agent ?? '-',
      paint(e.decision === 'allowed' ? 'good' : 'bad', e.decision),
      oneLine(e.reason === null ? e.action : `${e.action}: ${e.reason}`, 120),
    ]),
  ]).join('\n');
}
