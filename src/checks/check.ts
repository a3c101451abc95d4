/** The answer of every check of doctor and smoke: what, how bad, what was seen, what to do. Pure. */

/** `broken`: does not work now. `risk`: may fail later. `note`: good to know. `ok`: nothing is wrong. */
export const SEVERITIES = ['broken', 'risk', 'note', 'ok'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Check<Name extends string = string> {
  /** stable name, as `hook-inactive`; docs/health.md lists them */
  check: Name;
  severity: Severity;
  /** of what is broken, where that is known: nothing is there, or somebody said no */
  fault?: 'missing' | 'refused';
  /** what it is about, as `forge home, ada/greeter` */
  subject: string;
  /** a sentence without its full stop; '' where all is well */
  problem: string;
  /** what was seen, never a secret */
  evidence: string;
  /** a whole sentence; '' where nothing is to be done */
  remedy: string;
}

/** false: the command ends with exit code 1. */
export function isWell({ severity }: Pick<Check, 'severity'>): boolean {
  return severity !== 'broken';
}

export function worstFirst<One extends Check>(checks: readonly One[]): One[] {
  const rank = ({ severity }: Check) => SEVERITIES.indexOf(severity);
  return checks.toSorted((a, b) => rank(a) - rank(b));
}
