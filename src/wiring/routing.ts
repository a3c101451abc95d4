/** The router: decides deliveries one after another, at once when told to and at least every second. */
import type { RouterDeps } from '../router/routing.ts';
import { routeNext } from '../router.ts';
import type { Trust } from '../trust.ts';
import type { Worker } from '../worker.ts';
import type { Parts } from './parts.ts';

export interface Router {
  wake(): void;
  stop(): Promise<void>;
}

const ROUTE_EVERY_MS = 1000;

export function startRouting(
  parts: Parts,
  worker: Worker,
  { trust, decided }: Pick<RouterDeps, 'decided'> & { trust: Trust },
): Router {
  let stopped = false;
  let wake: () => void = () => {};
  let pending = false;
  const deps = {
    database: parts.database,
    config: parts.config,
    now: () => Date.now(),
    log: parts.log,
    trust,
    decided,
  };
  const loop = (async () => {
    while (!stopped) {
      pending = false;
      const isDecided = await routeNext(deps).catch((error: unknown) => {
        parts.log.error(`deliveries could not be read: ${String(error)}`);
        return false;
      });
      if (isDecided) {
        worker.wake();
        continue;
      }
      await new Promise<void>((resolve) => {
        if (pending || stopped) return resolve();
        const timer = setTimeout(resolve, ROUTE_EVERY_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  })();
  const poke = () => {
    pending = true;
    wake();
  };
  return {
    wake: poke,
    stop: async () => {
      stopped = true;
      poke();
      await loop;
    },
  };
}
