/** The step before the agent's run: what the repository's set-up commands made is there, or the agent knows why not. */
import { join } from 'node:path';
import { cloneAddress } from '../../forges/clone-address.ts';
import type { ReadyLayers } from '../../layers/port.ts';
import { updateLeased } from '../../mailbox/leases.ts';
import { openContainerDoors } from '../converse/container-doors.ts';
import { toolNotes } from '../converse/container-tools.ts';
import type { DispatchDeps } from '../dispatch.ts';
import type { Prepared } from '../screen/context.ts';
import { trustedBase } from '../trusted-base.ts';

/** With what the run's container has of the set-up, and the notes about it among those of the checkout. */
export interface Equipped extends Prepared {
  layers: ReadyLayers['mounts'];
}

/** Runs `work` while the layers of this run are kept from being removed. */
export async function withSetUp<T>(
  dispatch: Prepared,
  deps: DispatchDeps,
  work: (equipped: Equipped) => Promise<T>,
): Promise<T> {
  const ready = await deps.layers.forRun(await requestOf(dispatch, deps));
  try {
    if (ready.said !== null) {
      await updateLeased(deps.database.rows, dispatch.lease, { set_up: JSON.stringify(ready.said) });
    }
    const { context } = dispatch;
    const tools = toolNotes(dispatch.agent, deps.runner.engine);
    const checkout = { ...context.checkout, notes: [...tools, ...ready.notes, ...context.checkout.notes] };
    return await work({ ...dispatch, context: { ...context, checkout }, layers: ready.mounts });
  } finally {
    ready.release();
  }
}

async function requestOf(
  dispatch: Prepared,
  deps: DispatchDeps,
): Promise<Parameters<DispatchDeps['layers']['forRun']>[0]> {
  const { key, agent, repository, forge, place } = dispatch;
  const folder = join(deps.config().state, 'conversations', key.conversationId);
  // The mirror has been fetched for this dispatch already.
  const remote = {
    url: cloneAddress(forge.config.cloneUrl, repository.fullName),
    token: forge.account.token,
  };
  return {
    dispatchId: key.dispatchId,
    agent: agent.name,
    repository: { forge: forge.config.name, id: repository.id, fullName: repository.fullName },
    checkout: place.checkout,
    base: { remote, sha: await trustedBase(dispatch, deps, remote) },
    settings: agent.container,
    folders: { home: join(folder, 'home'), layers: join(folder, 'layers') },
    openDoors: async () => {
      // The commands read nothing that strangers wrote, whatever the session of this dispatch has read.
      const { doors, close } = await openContainerDoors(dispatch, deps, () => null);
      const cli = doors === null ? null : await deps.runner.cli(agent.container.image);
      return { open: doors === null || cli === null ? null : { ...doors, cli }, close };
    },
    signal: dispatch.signal,
  };
}
