/** Asks the forge what CI says of a pull request of ours. What it says becomes the event that a delivery would tell. */
import type { DeliveryRow } from '../database/tables.ts';
import type { CiState, Item } from '../forges/forge.ts';
import { hash } from '../forges/new-event.ts';
import { lookOf } from '../inbox/looks.ts';
import { isOurAccount } from '../trust/sender.ts';
import type { EventRepository, ForgeEvent } from '../vocabulary.ts';
import type { DeliveryReading } from './read-delivery.ts';
import type { RouterDeps } from './routing.ts';

/** Asks the forge, so never within a transaction. Throws where the forge cannot be asked: it is looked again later. */
export async function readLook(
  { config, trust }: Pick<RouterDeps, 'config' | 'trust'>,
  delivery: DeliveryRow,
): Promise<DeliveryReading> {
  const { repository: claimed, number, isAgain = false } = lookOf(delivery);
  const forge = config().forges[delivery.forge];
  if (forge === undefined) {
    return ignored(`forge ${delivery.forge} is no longer in the configuration; add it under forges`);
  }
  const identified = await trust.repository(forge, claimed);
  if (identified.kind === 'refused') return ignored(identified.reason);
  const { repository } = identified;
  const found = await trust.pullCi({ forge, repository, number });
  if (found === null) return ignored(`there is no pull request #${number} any more`);
  if (!isOurAccount(forge, trust.ids(forge), found.item.author)) {
    return ignored(`#${number} was not opened by an account of ours`);
  }
  const { state } = found.ci;
  if (isAgain) {
    if (state === 'success' || state === 'failure') {
      return { event: resultOf(delivery, repository, found) };
    }
    return ignored(`CI of #${number} has no result to go on with (${state})`);
  }
  if (state !== 'failure') {
    return ignored(`CI of #${number} had not failed when the pull request was opened (${state})`);
  }
  return { event: resultOf(delivery, repository, found) };
}

function ignored(reason: string): DeliveryReading {
  return { result: { state: 'ignored', reason } };
}

/** As long as the list of a prompt should be. */
const MOST_NAMES = 10;
/** Of one; a context of a status may be anything. */
const LONGEST_NAME = 90;

/** Like a commit status it names the commit and no pull request, and is placed by the same rule. */
function resultOf(
  delivery: Pick<DeliveryRow, 'forge' | 'forge_delivery_id'>,
  repository: EventRepository,
  { item, ci }: { item: Item & { pull: NonNullable<Item['pull']> }; ci: CiState },
): ForgeEvent {
  const { headSha } = item.pull;
  const isFailure = ci.state === 'failure';
  const name = isFailure ? 'ci.failed' : 'ci.succeeded';
  // A failure is told once; what has not changed since is told again, because what it leads to depends on other things.
  const again = isFailure ? [] : [delivery.forge_delivery_id];
  const failed = ci.failed.slice(0, MOST_NAMES).map((name) => name.slice(0, LONGEST_NAME));
  return {
    name,
    forge: delivery.forge,
    repository,
    sender: item.author,
    item: null,
    pull: null,
    comment: null,
    review: null,
    ci: { status: ci.state, workflow: failed.join(', '), headSha, htmlUrl: '' },
    push: null,
    requestedReviewer: null,
    mentions: [],
    added: { assignees: [], labels: [] },
    // The forge does not say when.
    occurredAt: '',
    semanticKey: `${repository.id}:${name}:look:${item.number}:${hash([headSha, ...again])}`,
  };
}
