/** What `init` will do, did, or refuses to do, in lines for a terminal. */
import type { Refusal } from '../../init/refusal.ts';
import { type Paint, plain } from '../../terminal-text.ts';

export interface InitReport {
  /** its kind and its version; null where it was not asked */
  forge: string | null;
  administrator: string | null;
  planned: string[];
  already: string[];
  done: string[];
  /** of a removal: what stays, and why */
  leaves: string[];
  difference: string[];
  warnings: readonly string[];
  refusals: Refusal[];
  /** why nothing was done although nothing was in the way */
  stopped: string | null;
  /** what is left to do */
  next: string[];
}

export function renderPlan(report: InitReport, paint: Paint = plain): string {
  const lines: string[] = [];
  if (report.forge !== null) {
    lines.push(`${report.forge}; asked as ${report.administrator}.`);
  }
  lines.push(...block('This will be done:', report.planned, paint));
  if (report.difference.length > 0) {
    lines.push(...block('The configuration changes by:', report.difference, paint));
  }
  lines.push(...block('Already there:', report.already, paint));
  lines.push(...report.warnings.map((warning) => `warning: ${warning}`));
  return lines.join('\n');
}

export function renderInit(report: InitReport, paint: Paint = plain): string {
  if (report.refusals.length > 0) return refusals(report, paint);
  const isDone = report.done.length > 0;
  const lines = isDone ? block('Done:', report.done, paint) : [renderPlan(report, paint)];
  if (isDone) lines.push(...block('Already there:', report.already, paint));
  if (report.planned.length === 0) lines.push('Nothing is to be done.');
  if (report.stopped !== null) lines.push(report.stopped);
  return [...lines, ...report.next].join('\n');
}

export function renderRemoval(report: InitReport, paint: Paint = plain): string {
  if (report.refusals.length > 0) return refusals(report, paint);
  const isDone = report.done.length > 0;
  const lines = block(isDone ? 'Taken away:' : 'This will be taken away:', report.planned, paint);
  const rest = [...report.leaves, ...report.already.map((one) => `${one}.`)];
  return [...lines, ...rest, ...(report.stopped === null ? [] : [report.stopped])].join('\n');
}

function refusals({ refusals: all, done }: InitReport, paint: Paint): string {
  const lines = all.map(
    ({ code, problem, remedy }) => `${paint('bad', 'REFUSED')}  ${code}\n  ${problem}.\n  do: ${remedy}`,
  );
  const state = done.length === 0 ? 'Nothing was done.' : 'What was done before stays, and is recorded.';
  return [...lines, state].join('\n');
}

function block(title: string, lines: readonly string[], paint: Paint): string[] {
  if (lines.length === 0) return [];
  return [paint('title', title), ...lines.map((line) => `  ${line}`)];
}
