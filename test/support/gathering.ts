/** The first steps of a dispatch in a test: on a real forge and real rows, without an engine. */
import type { LoadedConfig } from '../../src/config/config.ts';
import type { Database } from '../../src/database/database.ts';
import type { Dispatch } from '../../src/dispatch/dispatch.ts';
import { type GatherDeps, gather } from '../../src/dispatch/gather/gather.ts';
import { Hint } from '../../src/dispatch/hint.ts';
import type { DispatchContext, Prepared } from '../../src/dispatch/screen/context.ts';
import { screen } from '../../src/dispatch/screen/screen.ts';
import type { Forge } from '../../src/forges/forge.ts';
import { silentLog } from '../../src/log.ts';
import type { Lease } from '../../src/mailbox/leases.ts';
import type { Trust } from '../../src/trust.ts';
import type { Workdir } from '../../src/workdir.ts';

/** What the dispatch is gathered for. Nobody answers. */
export function dispatchOf(
  lease: Lease,
  config: Pick<LoadedConfig, 'agents' | 'forges'>,
  forge: Forge,
): Dispatch {
  const { conversation, dispatch } = lease;
  const home = config.forges[conversation.forge]!;
  return {
    key: { dispatchId: dispatch.id, conversationId: conversation.id },
    agent: config.agents.get(conversation.agent)!,
    forge: {
      config: home,
      account: home.accounts[conversation.agent]!,
      read: forge,
      write: () => {
        throw new Error('Nobody speaks here.');
      },
    },
    item: {
      kind: conversation.item_kind,
      number: conversation.item_number,
      title: conversation.title,
      repository: { id: conversation.repository_id, fullName: conversation.repository_name },
    },
    lease,
    signal: new AbortController().signal,
    routed: new Hint(),
  };
}

export function gatherDepsOf(o: { database: Database; trust: Trust; workdir: Workdir }): GatherDeps {
  return {
    ...o,
    now: Date.now,
    log: silentLog,
    config: () => ({ git: { signingKeyFile: null, maxLfsBytes: 0 } }),
    runner: { engine: { isolates: false } },
  } as unknown as GatherDeps;
}

export type GatheredAndScreened =
  | { kind: 'ready'; dispatch: Prepared; context: DispatchContext }
  | Exclude<Awaited<ReturnType<typeof gather>>, { kind: 'ready' }>;

export async function gatherAndScreen(dispatch: Dispatch, deps: GatherDeps): Promise<GatheredAndScreened> {
  const gathered = await gather(dispatch, deps);
  if (gathered.kind !== 'ready') return gathered;
  const prepared = await screen(gathered.dispatch, deps);
  return { kind: 'ready', dispatch: prepared, context: prepared.context };
}
