/** Why something does not pass the package door: a status, a word for counts, and a sentence with the remedy. */

/** For the audit's `detail.verdict` and for metrics. */
export type PackageVerdict =
  | 'passed'
  | 'method'
  | 'path'
  | 'policy'
  | 'not-locked'
  | 'another-hash'
  | 'redirect'
  | 'limit'
  | 'not-found'
  | 'registry'
  | 'disk-full'
  | 'failed';

export class PackageRefused extends Error {
  override name = 'PackageRefused';
  readonly status: number;
  readonly verdict: Exclude<PackageVerdict, 'passed'>;

  constructor(status: number, verdict: Exclude<PackageVerdict, 'passed'>, message: string) {
    super(message);
    this.status = status;
    this.verdict = verdict;
  }
}

/** `denied` is a decision of ours; `failed` is a misfortune. */
export function decisionOf(verdict: PackageVerdict): 'allowed' | 'denied' | 'failed' {
  if (verdict === 'passed') return 'allowed';
  return verdict === 'not-found' || verdict === 'registry' || verdict === 'disk-full' || verdict === 'failed'
    ? 'failed'
    : 'denied';
}

const LONGEST_PHRASE = 200;

/** The message as a status line of HTTP can hold it: one line of printable ASCII, cut at a word. Pure. */
export function reasonPhrase(message: string): string {
  // guard: packages: a reason phrase is one line
  const line = `claude-hooks: ${message}`.replace(/[^\x20-\x7e]+/g, ' ').trim();
  if (line.length <= LONGEST_PHRASE) return line;
  return `${line.slice(0, LONGEST_PHRASE - 4).replace(/\s+\S*$/, '')} ...`;
}
