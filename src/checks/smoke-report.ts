/** What the smoke checks answer with. */
import { type Paint, plain, type Tone } from '../terminal-text.ts';

export type SmokeState = 'ok' | 'missing' | 'refused' | 'failed' | 'skipped';

export type SmokeCheckName =
  | 'configuration'
  | 'git'
  | 'engine'
  | 'run'
  | 'model-credential'
  | 'forge-token'
  | 'forge-reads'
  | 'git-clone'
  | 'branch-name'
  | 'port'
  | 'dispatches'
  | 'webhook-secret'
  | 'signing-key'
  | 'layout'
  | 'earlier-session'
  | 'shell'
  | 'transcript'
  | 'resume'
  | 'push'
  | 'live';

export interface SmokeCheck {
  /** null: of the whole installation */
  agent: string | null;
  check: SmokeCheckName;
  state: SmokeState;
  /** what was seen, on one line, never a secret; a failed layout begins with its reason code */
  detail: string;
  /** a whole sentence; '' where nothing is to be done */
  remedy: string;
}

export interface SmokeReport {
  checks: SmokeCheck[];
  /** nothing is missing, refused or failed */
  ok: boolean;
  /** `bubblewrap`, and so on; null when none could be started */
  engine: string | null;
}

export function isWell({ state }: Pick<SmokeCheck, 'state'>): boolean {
  return state === 'ok' || state === 'skipped';
}

export function reportOf(checks: SmokeCheck[], engine: string | null): SmokeReport {
  return { checks, ok: checks.every(isWell), engine };
}

const TONES = {
  ok: 'good',
  missing: 'bad',
  refused: 'bad',
  failed: 'bad',
  skipped: 'quiet',
} as const satisfies Record<SmokeState, Tone>;

export function renderSmoke(report: SmokeReport, paint: Paint = plain): string {
  const wide = (pick: (c: SmokeCheck) => string) => Math.max(...report.checks.map((c) => pick(c).length));
  const who = wide(agentOf);
  const what = wide((c) => c.check);
  const lines = report.checks.flatMap((c) => [
    `${paint(TONES[c.state], c.state.padEnd(8))}${agentOf(c).padEnd(who + 2)}${c.check.padEnd(what + 2)}${c.detail}`,
    ...(c.remedy === '' ? [] : [`${' '.repeat(8)}→ ${c.remedy}`]),
  ]);
  const bad = report.checks.filter((c) => !isWell(c)).length;
  const words = bad === 0 ? 'All is well' : `${bad} of ${report.checks.length} checks are not well`;
  return [...lines, `${words} (engine: ${report.engine ?? 'none'}).`].join('\n');
}

function agentOf(check: SmokeCheck): string {
  return check.agent ?? '-';
}
