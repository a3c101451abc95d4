/** Says when a park of the credential, or of one model, is over: it only ends by time, so nobody does it. */
import type { Log } from '../log.ts';
import { describePark, type Park } from '../mailbox/parks.ts';

/** Give it the parks of now at each look. */
export function parkEnds(log: Log): (current: readonly Park[]) => void {
  const known = new Set<string>();
  return (current) => {
    const held = new Set(current.map(({ credential }) => credential));
    for (const credential of [...known].filter((name) => !held.has(name))) {
      known.delete(credential);
      log.info(`${describePark(credential)} is used again, its park is over`, { credential });
    }
    for (const credential of held) known.add(credential);
  };
}
