/** The router: decides deliveries one after another, at once when told to and at least every second. */
import type { RouterDeps } from '../router/routing.ts';
import { routeNext } from '../router.ts';
import type { Trust } from '../trust.ts';
import { startWakeLoop, type WakeLoop } from '../wake-loop.ts';
import type { Worker } from '../worker.ts';
import type { Parts } from './parts.ts';

export type Router = WakeLoop;

const ROUTE_EVERY_MS = 1000;

export function startRouting(
  parts: Parts,
  worker: Worker,
  { trust, decided }: Pick<RouterDeps, 'decided'> & { trust: Trust },
): Router {
  const deps = {
    database: parts.database,
    config: parts.config,
    now: () => Date.now(),
    log: parts.log,
    trust,
    decided,
  };
  return startWakeLoop(async () => {
    const isDecided = await routeNext(deps).catch((error: unknown) => {
      parts.log.error(`deliveries could not be read: ${String(error)}`);
      return false;
    });
    if (isDecided) worker.wake();
    return isDecided ? 0 : ROUTE_EVERY_MS;
  });
}
