/** What the doctor answers with, and in which order. Pure. */
import { type Paint, plain, type Tone } from '../terminal-text.ts';

/** `broken`: something does not work now. `risk`: it will, or may. `note`: good to know, nothing to do at once. */
export const SEVERITIES = ['broken', 'risk', 'note'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Finding {
  /** stable name, as `hook-inactive`; docs/doctor.md lists them */
  check: string;
  severity: Severity;
  /** what it is about, as `forge home, ada/greeter` */
  subject: string;
  /** a sentence without its full stop */
  problem: string;
  /** what was seen, never a secret */
  evidence: string;
  /** a whole sentence */
  remedy: string;
}

export interface DoctorReport {
  /** worst first */
  findings: Finding[];
  /** names of the groups that were looked at */
  looked: string[];
  /** a line for each acting agent: which model it has today, and what that costs */
  models: string[];
  /** true when nothing is broken */
  ok: boolean;
  /** a running one holds the state folder; then test deliveries can be watched */
  service: 'running' | 'not running';
}

export function worstFirst(findings: readonly Finding[]): Finding[] {
  const rank = (f: Finding) => SEVERITIES.indexOf(f.severity);
  return [...findings].sort((a, b) => rank(a) - rank(b));
}

const TONES = { broken: 'bad', risk: 'waiting', note: 'quiet' } as const satisfies Record<Severity, Tone>;

export function renderReport(report: DoctorReport, paint: Paint = plain): string {
  if (report.findings.length === 0) return `Nothing is wrong.\n${looked(report)}`;
  const blocks = report.findings.map((f) =>
    [
      `${paint(TONES[f.severity], f.severity.toUpperCase())}  ${f.check}  ${f.subject}`,
      `  ${f.problem}.`,
      `  seen: ${f.evidence}`,
      `  do:   ${f.remedy}`,
    ].join('\n'),
  );
  return `${blocks.join('\n\n')}\n\n${summary(report)}`;
}

function summary(report: DoctorReport): string {
  const counts = SEVERITIES.map((s) => [s, report.findings.filter((f) => f.severity === s).length] as const);
  const told = counts.filter(([, n]) => n > 0).map(([s, n]) => `${n} ${s}`);
  return `${told.join(', ')}.\n${looked(report)}`;
}

function looked(report: DoctorReport): string {
  const models = report.models.map((line) => `${line}.\n`).join('');
  return `${models}Looked at: ${report.looked.join(', ')}. The service is ${report.service}.`;
}
