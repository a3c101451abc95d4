/** Approved commits, as a table. */
import type { Approval } from '../../packages/approvals.ts';
import { oneLine, type Paint, plain, showTime } from '../../terminal-text.ts';
import { columns } from './columns.ts';

export function renderApprovals(approvals: Approval[], paint: Paint = plain): string {
  if (approvals.length === 0)
    return 'No commit is approved: the lock files of the base branches count alone.';
  return columns([
    ['id', 'time', 'repository', 'commit', 'by', 'because'].map((title) => paint('title', title)),
    ...approvals.map((a) => [
      a.id,
      showTime(new Date(a.at).toISOString()),
      `${a.forge}:${a.repository}`,
      a.commit.slice(0, 12),
      oneLine(a.withdrawn === null ? a.by : `${a.by}, withdrawn by ${a.withdrawn.by}`, 60),
      oneLine(a.because, 80),
    ]),
  ]).join('\n');
}
