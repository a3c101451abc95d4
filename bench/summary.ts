/** What is told of a set of measurements. */
export interface Summary {
  n: number;
  min: number;
  median: number;
  p90: number;
  p99: number;
  max: number;
}

/** Nearest rank: every figure is one that was really measured. */
export function summarise(values: readonly number[]): Summary {
  if (values.length === 0)
    throw new Error('There is nothing to summarise; the part measured nothing. Run it alone to see why.');
  const sorted = values.toSorted((a, b) => a - b);
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
  return {
    n: sorted.length,
    min: sorted[0]!,
    median: rank(0.5),
    p90: rank(0.9),
    p99: rank(0.99),
    max: sorted.at(-1)!,
  };
}

export function medianOf(values: readonly number[]): number {
  return summarise(values).median;
}

/** Milliseconds a piece of work took, and what it answered. */
export async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const start = performance.now();
  const value = await work();
  return { ms: performance.now() - start, value };
}
