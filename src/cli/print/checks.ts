/** What doctor and smoke found, in lines for a terminal. */
import { SEVERITIES, type Severity } from '../../checks/check.ts';
import type { DoctorReport } from '../../checks/doctor.ts';
import { isGood, type SmokeLine, type SmokeReport, type SmokeState } from '../../checks/smoke-report.ts';
import { type Paint, plain, type Tone } from '../../terminal-text.ts';

const DOCTOR_TONES = {
  broken: 'bad',
  risk: 'waiting',
  note: 'quiet',
  ok: 'good',
} as const satisfies Record<Severity, Tone>;

export function renderDoctor(report: DoctorReport, paint: Paint = plain): string {
  if (report.findings.length === 0) return `Nothing is wrong.\n${looked(report)}`;
  const blocks = report.findings.map((f) =>
    [
      `${paint(DOCTOR_TONES[f.severity], f.severity.toUpperCase())}  ${f.check}  ${f.subject}`,
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

const SMOKE_TONES = {
  ok: 'good',
  missing: 'bad',
  refused: 'bad',
  failed: 'bad',
  skipped: 'quiet',
} as const satisfies Record<SmokeState, Tone>;

export function renderSmoke(report: SmokeReport, paint: Paint = plain): string {
  const wide = (pick: (c: SmokeLine) => string) => Math.max(...report.checks.map((c) => pick(c).length));
  const who = wide(agentOf);
  const what = wide((c) => c.check);
  const lines = report.checks.flatMap((c) => [
    `${paint(SMOKE_TONES[c.state], c.state.padEnd(8))}${agentOf(c).padEnd(who + 2)}${c.check.padEnd(what + 2)}${c.detail}`,
    ...(c.remedy === '' ? [] : [`${' '.repeat(8)}→ ${c.remedy}`]),
  ]);
  const bad = report.checks.filter((c) => !isGood(c)).length;
  const words = bad === 0 ? 'All is well' : `${bad} of ${report.checks.length} checks are not well`;
  return [...lines, `${words} (engine: ${report.engine ?? 'none'}).`].join('\n');
}

function agentOf(line: SmokeLine): string {
  return line.agent ?? '-';
}
