/** The known word nearest to a mistyped one, or null when nothing is near enough to be worth saying. */
export function nearest(
  word: string,
  known: Iterable<string>,
  most = Number.MAX_SAFE_INTEGER,
): string | null {
  // About a third of the word may differ: `prot` finds `port` (2 edits in 4 letters), `foo` does not find `url`.
  const limit = Math.min(most, Math.max(2, Math.floor(word.length / 3)));
  let best: { word: string; distance: number } | null = null;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    const bound = Math.min(limit, candidate.length - 1);
    if (distance <= bound && (best === null || distance < best.distance))
      best = { word: candidate, distance };
  }
  return best?.word ?? null;
}

/** A remedy's end: the nearest known word, and the whole list when it is short enough to read. */
export function suggestion(word: string, known: Iterable<string>): string {
  const all = [...known];
  const near = nearest(word, all);
  const list = all.length > 0 && all.length <= 30 ? `Known: ${all.join(', ')}.` : '';
  return [near === null ? '' : `Did you mean "${near}"?`, list].filter(Boolean).join(' ');
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + swap);
    }
    previous = row;
  }
  return previous[b.length]!;
}
