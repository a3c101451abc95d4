/** The router: decides deliveries one after another, at once when told to and at least every second. */
import type { RouterDeps } from '../router/routing.ts';
import { routeNext } from '../router.ts';
import { createTeam } from '../team.ts';
import { Patience } from '../trust/patience.ts';
import { startWakeLoop, type WakeLoop } from '../wake-loop.ts';
import type { ForgeAccess } from './forge-access.ts';
import type { Foundation } from './foundation.ts';

export type Router = WakeLoop;

const ROUTE_EVERY_MS = 1000;

export function startRouting(
  foundation: Foundation,
  {
    access,
    decided,
    wakeWorker,
  }: Pick<RouterDeps, 'decided'> & { access: ForgeAccess; wakeWorker: () => void },
): Router {
  const now = () => Date.now();
  const { trust, forge: client } = access;
  const deps = {
    database: foundation.database,
    config: foundation.config,
    team: createTeam({ client, trust, patience: new Patience(now) }),
    now,
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
