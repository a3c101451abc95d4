/** Every migration of the schema, oldest first. A released migration is never edited; a change is a new one. */
import type { Migration } from 'kysely/migration';
import type { DialectName } from './dialect.ts';
import { initialSchema } from './migrations/0001-initial-schema.ts';
import { doors } from './migrations/0002-doors.ts';
import { sessionMarks } from './migrations/0003-session-marks.ts';
import { bodies } from './migrations/0004-bodies.ts';
import { recalls } from './migrations/0006-recalls.ts';
import { commitOfARun } from './migrations/0007-commit-of-a-run.ts';
import { setAside } from './migrations/0009-set-aside.ts';
import { aboutOfDeliveries } from './migrations/0015-about-of-deliveries.ts';
import { continuityIndex } from './migrations/0016-continuity-index.ts';
import { models } from './migrations/0017-models.ts';
import { instructions } from './migrations/0018-instructions.ts';
import { eventsAsRows } from './migrations/0019-events-as-rows.ts';
import { kindInTheItemKey } from './migrations/0020-kind-in-the-item-key.ts';
import { viewIndexes } from './migrations/0021-view-indexes.ts';
import { packageApprovals } from './migrations/0022-package-approvals.ts';
import { layers } from './migrations/0024-layers.ts';
import { reconciler } from './migrations/0025-reconciler.ts';
import { holds } from './migrations/0026-holds.ts';
import { money } from './migrations/0026-money.ts';
import { whatPeopleSee } from './migrations/0027-what-people-see.ts';
import { steering } from './migrations/0028-steering.ts';
import { attach } from './migrations/0030-attach.ts';
import { pullDecisions } from './migrations/0032-pull-decisions.ts';
import { dependencies } from './migrations/0035-dependencies.ts';
import { stacks } from './migrations/0036-stacks.ts';

export function migrations(dialect: DialectName): Record<string, Migration> {
  return {
    '0001-initial-schema': initialSchema(dialect),
    '0002-doors': doors(dialect),
    '0003-session-marks': sessionMarks(dialect),
    '0004-bodies': bodies(dialect),
    '0006-recalls': recalls(dialect),
    '0007-commit-of-a-run': commitOfARun(),
    '0009-set-aside': setAside(dialect),
    '0015-about-of-deliveries': aboutOfDeliveries(dialect),
    '0016-continuity-index': continuityIndex(),
    '0017-models': models(),
    '0018-instructions': instructions(),
    '0019-events-as-rows': eventsAsRows(dialect),
    '0020-kind-in-the-item-key': kindInTheItemKey(dialect),
    '0021-view-indexes': viewIndexes(),
    '0022-package-approvals': packageApprovals(dialect),
    '0024-layers': layers(dialect),
    '0025-reconciler': reconciler(dialect),
    '0026-holds': holds(dialect),
    '0026-money': money(dialect),
    '0027-what-people-see': whatPeopleSee(dialect),
    '0028-steering': steering(dialect),
    '0030-attach': attach(),
    '0032-pull-decisions': pullDecisions(dialect),
    '0035-dependencies': dependencies(dialect),
    '0036-stacks': stacks(dialect),
  };
}
