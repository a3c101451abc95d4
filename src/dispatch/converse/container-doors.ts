/** Doors of one dispatch's container besides model, forge and git: sockets that programs inside reach by loopback. */
import { join } from 'node:path';
import { hasDoors, writeDoorScript } from '../../container/doors.ts';
import type { PlaceRequest } from '../../container/place.ts';
import type { DispatchDeps } from '../dispatch.ts';
import type { Prepared } from '../screen/context.ts';
import type { DoorOpener, OpenedDoor } from './door-opener.ts';
import { openNameDoor } from './name-door.ts';
import { openPackages } from './package-door.ts';

export interface ContainerDoors {
  /** for the place; null = none is open */
  doors: NonNullable<PlaceRequest['doors']> | null;
  /** call it when the session is marked, before its agent is shown the words */
  restricted(): void;
  close(): Promise<void>;
}

const OPENERS: readonly DoorOpener[] = [openPackages, openNameDoor];

/** Opens what this agent has. Where `hasDoors` says no, nothing is opened: the tools have a network of their own. */
export async function openContainerDoors(
  dispatch: Prepared,
  deps: DispatchDeps,
  restriction: () => string | null,
): Promise<ContainerDoors> {
  const opened: OpenedDoor[] = [];
  const close = async () => void (await Promise.all(opened.map((one) => one.close())));
  const restricted = () => {
    for (const one of opened) one.restricted?.();
  };
  const none = { doors: null, restricted, close };
  if (!hasDoors(deps.runner.engine, dispatch.agent.container.network)) return none;
  try {
    for (const open of OPENERS) {
      const one = await open(dispatch, deps, restriction);
      if (one !== null) opened.push(one);
    }
    if (opened.length === 0) return none;
    const script = await writeDoorScript(join(deps.config().state, 'doors'));
    return { doors: { script, open: opened.map(({ door }) => door) }, restricted, close };
  } catch (error) {
    await close();
    throw error;
  }
}
