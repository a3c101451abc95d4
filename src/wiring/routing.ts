/** The router: decides deliveries one after another, at once when told to and at least every second. */
import type { RouterDeps } from '../router/routing.ts';
import { routeNext } from '../router.ts';
import type { Trust } from '../trust.ts';
import { startWakeLoop, type WakeLoop } from '../wake-loop.ts';
import type { Foundation } from './foundation.ts';

export type Router = WakeLoop;

const ROUTE_EVERY_MS = 1000;

export function startRouting(
  foundation: Foundation,
  { trust, decided, wakeWorker }: Pick<RouterDeps, 'decided'> & { trust: Trust; wakeWorker: () => void },
): Router {
  const deps = {
    database: foundation.database,
    config: foundation.config,
    now: () => Date.now(),
    log: foundation.log,
    trust,
    decided,
  };
  return startWakeLoop(async () => {
    const isDecided = await routeNext(deps).catch((error: unknown) => {
      foundation.log.error(`deliveries could not be read: ${String(error)}`);
      return false;
    });
    if (isDecided) wakeWorker();
    return isDecided ? 0 : ROUTE_EVERY_MS;
  });
}
