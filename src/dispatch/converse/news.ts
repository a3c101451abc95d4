/**
 * What people said while the run is under way, made ready as at the start of a run: compared with the forge, its senders
 * asked about, screened, and without what the run has read already.
 */
import { carryHanded } from '../../mailbox/handing.ts';
import type { CarriedRow } from '../../mailbox/leases.ts';
import { forkRefusal } from '../../trust/sender.ts';
import type { DispatchDeps } from '../dispatch.ts';
import { itemsOf } from '../gather/conversation-items.ts';
import { Evidence } from '../gather/evidence.ts';
import { readOthers, stillWanted } from '../gather/gather.ts';
import { declineRefused, takeUp } from '../gather/message-truth.ts';
import { leadingOf, readMessage } from '../gather/messages.ts';
import { readItem } from '../gather/read-item.ts';
import type { Prepared } from '../screen/context.ts';
import { screen } from '../screen/screen.ts';
import { judgeSenders } from '../screen/senders.ts';
import { withoutStale } from '../screen/stale.ts';

export interface News {
  /** the dispatch as if these messages had begun it; its `context.leading` is null where there is nothing to hand over */
  dispatch: Prepared;
  /** ids of all that may be carried, those included that say nothing new */
  messages: string[];
}

/** `seen`: as the run has seen it so far. Null: none of it may reach this run. Throws where the forge is away. */
export async function readNews(
  base: Prepared,
  deps: DispatchDeps,
  { rows, seen }: { rows: readonly CarriedRow[]; seen: string },
): Promise<News | null> {
  const { repository, lease } = base;
  const evidence = new Evidence(base.forge.read, repository);
  const said = rows.map(readMessage);
  const compared = await stillWanted(base, deps, {
    repository,
    messages: said,
    evidence,
    joined: await itemsOf(deps.database.rows, lease),
    replayed: new Set(),
  });
  const taken = await takeUp(deps.database, compared.there, new Set());
  const again = [...taken].map(([id, delivery]) => ({
    id,
    reason: `the same was told before, by delivery ${delivery}`,
    forged: null,
  }));
  const judged = await judgeSenders(
    compared.there.filter(({ id }) => !taken.has(id)),
    { forgeConfig: base.forge.config, trust: deps.trust },
  );
  const declined = [
    ...compared.refused,
    ...again,
    ...judged.refused.map((one) => ({ ...one, forged: null })),
  ];
  if (declined.length > 0) {
    const ids = declined.map(({ id }) => id);
    await carryHanded(deps.database, lease, { messages: ids, input: null, now: deps.now() });
    await declineRefused(deps, lease, declined);
  }
  const { allowed } = judged;
  if (allowed.length === 0) return null;
  const number = leadingOf(allowed)?.event.item?.number ?? base.item.number;
  const found = await readItem(evidence, { repository, number });
  // The reason is told by the dispatch that these messages get of their own.
  if (forkRefusal(base.forge.config, found.item.pull) !== null) return null;
  const ids = new Set(allowed.map(({ id }) => id));
  const gathered = {
    ...base,
    lease: {
      ...lease,
      messages: rows.filter(({ id }) => ids.has(id)),
      conversation: { ...lease.conversation, seen },
    },
    messages: allowed,
    replayed: new Set<string>(),
    found,
    others: await readOthers(evidence, found, allowed),
    notes: compared.notes,
  };
  const dispatch = withoutStale(await screen(gathered, deps));
  return { dispatch, messages: [...ids] };
}
