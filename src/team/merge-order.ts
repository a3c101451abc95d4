/**
 * Whose turn it is to be rebased: one pull request of a repository at a time, the lowest number first. Each merge may bring
 * all others into conflict, so a rebase that is not followed by its merge is thrown away. Pure.
 */

/** Another open pull request of the same repository, as it was decided last. */
export interface InLine {
  number: number;
  /** it was rebased, or is to be, and is neither merged nor stopped since */
  holdsTurn: boolean;
  /** it conflicts, is approved, and waits for its turn */
  waits: boolean;
}

/** The number of the one that goes first; null = it is this one's turn. */
export function firstInLine(
  own: { number: number; holdsTurn: boolean },
  others: readonly InLine[],
): number | null {
  if (own.holdsTurn) return null;
  const holder = others.find(({ holdsTurn }) => holdsTurn);
  if (holder !== undefined) return holder.number;
  const before = others.filter(({ waits, number }) => waits && number < own.number);
  return before.length === 0 ? null : Math.min(...before.map(({ number }) => number));
}

/** Rows of the table that end a turn: somebody has to act before it goes on, and others should not wait for that. */
const ENDS_TURN: ReadonlySet<string> = new Set([
  'over',
  'not-ours',
  'kept-off',
  'draft',
  'veto',
  'veto-of-a-stranger',
  'cap',
  'unclear-review',
]);

export function holdsTurnAfter(row: string, before: boolean): boolean {
  return row === 'rebase' || (before && !ENDS_TURN.has(row));
}

export function waitsForTurn(row: string): boolean {
  return row === 'rebase-later';
}
