/**
 * How long tests wait before they call something hung. Waits end when their condition holds, so a long one costs nothing
 * where all is well; `TEST_PATIENCE=3` makes every one three times as long, for a machine that is slow or busy.
 */
const FACTOR = factorOf(process.env.TEST_PATIENCE);

/** `ms` on a machine with two cores for the tests alone. */
export function patience(ms: number): number {
  return Math.ceil(ms * FACTOR);
}

export function factorOf(text: string | undefined): number {
  if (text === undefined) return 1;
  const factor = Number(text);
  if (factor >= 0.1 && factor <= 100) return factor;
  throw new Error(
    `TEST_PATIENCE is ${JSON.stringify(text)}; give a number from 0.1 to 100, as in TEST_PATIENCE=3`,
  );
}
