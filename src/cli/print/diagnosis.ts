/** A session's diagnosis as text: verdict and cause, what to do, then every check. */
import { oneLine } from '../../terminal-text.ts';
import type { Diagnosis } from '../../views/diagnosis.ts';
import { columns, indent } from './columns.ts';
import { markLines } from './marks.ts';

export function renderDiagnosis(diagnosis: Diagnosis): string {
  const { session, checks, evidence } = diagnosis;
  const rows = columns(checks.map((c) => [c.ok ? 'ok' : 'NO', c.name, shown(c.detail)]));
  // The evidence repeats the failed checks, which the list above shows already.
  const more = evidence.filter((e) => !checks.some((c) => e.includes(c.detail)));
  const marks = session === null ? [] : markLines(session.marks);
  return [
    session === null ? 'no session of ours' : `session ${session.id} of conversation ${session.conversation}`,
    ...indent(
      columns([
        ['verdict', diagnosis.verdict],
        ['cause', diagnosis.cause],
        ['remedy', shown(diagnosis.remedy)],
      ]),
    ),
    ...(marks.length === 0 ? [] : ['', 'whose words it has read', ...indent(marks)]),
    '',
    'checks',
    ...indent(rows),
    ...(more.length === 0 ? [] : ['', 'incidents', ...indent(more.map(shown))]),
  ].join('\n');
}

/** Whole, since paths are to be copied, but harmless: an agent can name folders and write ids into its transcript. */
function shown(text: string): string {
  return oneLine(text, 4000);
}
