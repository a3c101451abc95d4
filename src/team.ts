/**
 * The team: what a pull request of one of our agents needs next, decided by a table from what the forge says now and what
 * the rows keep. It decides and carries nothing out: flows name the act in their conditions, and the router writes.
 */

import { type LookDeps, lookAtPull, type PullQuestion, type SeenPull } from './team/look.ts';
import type { Patience } from './trust/patience.ts';

export interface Team {
  /** asks the forge, so never within a transaction; see `lookAtPull` */
  look(question: PullQuestion): Promise<SeenPull | null>;
}

export function createTeam(deps: Omit<LookDeps, 'patience'> & { patience: Patience }): Team {
  return { look: (question) => lookAtPull(deps, question) };
}
