/**
 * Runs a property and says how to run its failure again: `PROPERTY_REPLAY=<seed>:<path>`. PROPERTY_RUNS asks for more
 * runs than the few that every `npm test` can afford.
 */
import fc from 'fast-check';

const { PROPERTY_RUNS, PROPERTY_REPLAY } = process.env;

export interface Runs {
  /** without PROPERTY_RUNS */
  usually: number;
  /** what is found in this time after the first failure is the shortest that is shown */
  shrinkMs: number;
  /** one that is kept; PROPERTY_REPLAY comes first */
  seed?: number;
}

export async function holdsFor<T>(
  things: fc.Arbitrary<T>,
  property: (thing: T) => Promise<void>,
  runs: Runs,
): Promise<void> {
  const [seed, path] = PROPERTY_REPLAY === undefined ? [runs.seed] : split(PROPERTY_REPLAY);
  const stopAt = { time: Number.POSITIVE_INFINITY };
  const details = await fc.check(
    fc.asyncProperty(things, async (thing) => {
      // Out of time: whatever else is tried counts as no failure, so the shortest so far remains.
      if (Date.now() > stopAt.time) return;
      await property(thing).catch((error: unknown) => {
        stopAt.time = Math.min(stopAt.time, Date.now() + runs.shrinkMs);
        throw error;
      });
    }),
    {
      numRuns: Number(PROPERTY_RUNS ?? runs.usually),
      ...(seed === undefined ? {} : { seed }),
      ...(path === undefined || path === '' ? {} : { path, endOnFailure: true }),
    },
  );
  if (!details.failed) return;
  const [thing] = details.counterexample ?? [];
  const error = details.errorInstance as Error;
  throw new Error(
    `${error.message}\n\nafter ${details.numRuns} run(s) and ${details.numShrinks} shrink(s), by\n` +
      `${(Array.isArray(thing) ? thing : [thing]).map((step) => JSON.stringify(step)).join('\n')}\n\n` +
      `Run it again with PROPERTY_REPLAY=${details.seed}:${details.counterexamplePath ?? ''}`,
    { cause: error },
  );
}

/** The path has colons itself. */
function split(replay: string): [number, string] {
  const colon = `${replay}:`.indexOf(':');
  return [Number(replay.slice(0, colon)), replay.slice(colon + 1)];
}
