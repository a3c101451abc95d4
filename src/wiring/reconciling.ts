/** The reconciler, beside the router: it looks at the forges for what no webhook told. */
import type { ForgeConfig } from '../config/config.ts';
import type { Metrics } from '../metrics.ts';
import { outgoingForge } from '../outcome/outgoing-forge.ts';
import type { ActDeps } from '../reconciler/acts.ts';
import { askRules } from '../reconciler/stuck.ts';
import { createReconciler } from '../reconciler.ts';
import { startWakeLoop, type WakeLoop } from '../wake-loop.ts';
import type { ForgeAccess } from './forge-access.ts';
import type { Foundation } from './foundation.ts';

/** A sentence of ours on an item, in the agent's name. It closes nothing and notifies nobody. */
async function say(
  { forge: clients }: ForgeAccess,
  forge: ForgeConfig,
  { agent, finding, text }: Parameters<ActDeps['say']>[0],
): Promise<void> {
  const closing = { own: null, keywords: forge.closingKeywords, strict: true };
  await outgoingForge(clients(forge, agent), () => closing).createComment(
    finding.repository,
    finding.number,
    text,
  );
}

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
    askRules: async (forge) => {
      const client = (agent: string) => access.forge(forge, agent);
      const now = () => Date.now();
      const modes = config().reconciler.rules;
      await askRules({ database, forge, client, now, log, modes, say: (post) => say(access, forge, post) });
      wakeRouter();
    },
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
