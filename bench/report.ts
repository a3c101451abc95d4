/** What a part hands back, and the Markdown made of it. No figure in it is written by hand. */
import type { Summary } from './summary.ts';

export interface Goal {
  what: string;
  /** as the goal names it, with unit: `≤ 150 ms` */
  wanted: string;
  measured: string;
  met: boolean;
}

export interface Table {
  caption: string;
  /** the first column is text, all others are figures */
  head: string[];
  rows: string[][];
}

export interface PartReport {
  title: string;
  /** how it was measured, one paragraph each */
  method: string[];
  goals: Goal[];
  tables: Table[];
}

export const SUMMARY_HEAD = ['n', 'min', 'median', 'p90', 'p99', 'max'];

export function summaryCells(s: Summary, digits = 1): string[] {
  return [String(s.n), ...[s.min, s.median, s.p90, s.p99, s.max].map((v) => figure(v, digits))];
}

export function figure(value: number, digits = 1): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function atMost(what: string, measured: number, limit: number, unit: string): Goal {
  return {
    what,
    wanted: `≤ ${limit} ${unit}`,
    measured: `${figure(measured)} ${unit}`,
    met: measured <= limit,
  };
}

/** A goal that is met or not, without a figure. */
export function isSo(what: string, wanted: string, met: boolean): Goal {
  return { what, wanted, measured: met ? 'yes' : 'no', met };
}

/** A goal of two measured figures; `limit` is their highest ratio. */
export function shareAtMost(what: string, measured: number, of: number, limit: number): Goal {
  const share = measured / of;
  return { what, wanted: `≤ ${limit}`, measured: figure(share, 2), met: share <= limit };
}

export interface Results {
  machine: [string, string][];
  command: string;
  seconds: number;
  /** why these figures are not for keeping; null when they are */
  caution: string | null;
  parts: PartReport[];
}

export function toMarkdown(results: Results): string {
  const goals = results.parts.flatMap((p) => p.goals);
  const sections = [
    '# Measurements',
    `Written by \`${results.command}\` in ${figure(results.seconds, 0)} s. One part alone, printed and not written here: \`npm run bench -- intake\` (or \`dispatch\`, \`memory\`, \`growth\`, \`gateway\`, \`recall\`, \`prompt\`, \`statements\`), and with \`--keep\` behind it written to the end of this file. \`BENCH_QUICK=1\` makes every part short, for trying out changes to the benchmark itself.`,
    ...(results.caution === null ? [] : [`> **${results.caution}**`]),
    '## Goals',
    table({
      caption: '',
      head: ['goal', 'wanted', 'measured', ''],
      rows: goals.map((g) => [g.what, g.wanted, g.measured, g.met ? 'met' : '**not met**']),
    }),
    '## Machine',
    results.machine.map(([what, value]) => `- ${what}: ${value}`).join('\n'),
    ...results.parts.flatMap((part) => [
      `## ${part.title}`,
      ...part.method,
      ...part.tables.flatMap((t) => [`### ${t.caption}`, table(t)]),
    ]),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** RESULTS.md with what was measured by itself at its end, in the place of what that command wrote there before. */
export function withKept(whole: string, command: string, text: string): string {
  const [begin, end] = [`<!-- ${command} -->`, `<!-- end of ${command} -->`];
  const [from, to] = [whole.indexOf(begin), whole.indexOf(end)];
  const others = from === -1 ? whole : `${whole.slice(0, from).trimEnd()}\n${whole.slice(to + end.length)}`;
  const kept = text.replace(/^# Measurements$/m, '# Measured by itself').trimEnd();
  return `${others.trimEnd()}\n\n${begin}\n\n${kept}\n\n${end}\n`;
}

function table({ head, rows }: Table): string {
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
