/** What opens one door of a dispatch's container. */
import type { ContainerDoor } from '../../container/doors.ts';
import type { DispatchDeps } from '../dispatch.ts';
import type { Prepared } from '../screen/context.ts';

export interface OpenedDoor {
  door: ContainerDoor;
  /** the session was marked just now: what stands and may no longer be is cut */
  restricted?(): void;
  /** idempotent; cuts what is under way, and resolves when it is accounted for */
  close(): Promise<void>;
}

/**
 * `restriction`: why the session may do less, as of now; null = it has no mark. It may change while the run lasts, so a
 * door asks at each request. Answers null where this agent does not have the door.
 */
export type DoorOpener = (
  dispatch: Prepared,
  deps: DispatchDeps,
  restriction: () => string | null,
) => Promise<OpenedDoor | null>;
