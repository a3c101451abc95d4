/** The reconciler, beside the router: it looks at the forges for what no webhook told. */
import type { Metrics } from '../metrics.ts';
import { createReconciler } from '../reconciler.ts';
import { startWakeLoop, type WakeLoop } from '../wake-loop.ts';
import type { ForgeAccess } from './forge-access.ts';
import type { Foundation } from './foundation.ts';

const AFTER_A_FAULT_MS = 60_000;

export function startReconciling(
  { database, config, log }: Foundation,
  { access, metrics, wakeRouter }: { access: ForgeAccess; metrics: Metrics; wakeRouter: () => void },
): WakeLoop {
  const reconciler = createReconciler({
    database,
    config,
    client: access.forge,
    trust: access.trust,
    now: () => Date.now(),
    log,
    looked: metrics.looked,
    wakeRouter,
  });
  return startWakeLoop(async () => {
    try {
      return await reconciler.step();
    } catch (error) {
      log.error(`the reconciler could not go on, it is tried again in a minute: ${String(error)}`);
      return AFTER_A_FAULT_MS;
    }
  });
}
