/**
 * What has to be known before a delivery is decided, asked of the forge outside of any transaction: which repository it
 * is about, whether its comment is really gone, what its sender may do. Nothing is written here.
 */
import type { ForgeConfig } from '../config/config.ts';
import { isListed } from '../config/listed-repositories.ts';
import type { DeliveryRow } from '../database/tables.ts';
import { deletionKey } from '../forges/gitea/outcomes.ts';
import { piecesOf } from '../inbox/pieces.ts';
import { type DeliveryVerdict, firstWith } from '../inbox.ts';
import { itemsOfComment } from '../mailbox/messages.ts';
import type { LabelsTold } from '../trust/labels.ts';
import type { Judgement } from '../trust/sender.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import { consider, type Outlook, wantsSender } from './consider.ts';
import { isAboutLabels } from './items.ts';
import { readDelivery } from './read-delivery.ts';
import { readLook } from './read-look.ts';
import type { RouterDeps, RoutingConfig } from './routing.ts';
import { refuseByScope } from './scope.ts';

export type Facts =
  /** decided without a look at the rows; `audited`: somebody tried what they may not */
  | { kind: 'ended'; verdict: DeliveryVerdict; event: ForgeEvent | null; audited: boolean }
  | {
      kind: 'event';
      config: RoutingConfig;
      forge: ForgeConfig;
      /** with the forge's own words about the repository */
      event: ForgeEvent;
      /** of the event's comment; null = it did not have to be asked */
      gone: boolean | null;
      /** of its sender; null = no flow wants it, so that it was not asked */
      sender: Judgement | null;
      /** of an event about labels, as the forge has them; null = it did not have to be asked, or has no such item */
      labels: LabelsTold | null;
      /** whether the pull request may join a conversation; null = it did not have to be asked */
      mayJoin: boolean | null;
    };

export async function gatherFacts(deps: RouterDeps, delivery: DeliveryRow): Promise<Facts> {
  const { rows } = deps.database;
  const read =
    delivery.source === 'look'
      ? await readLook(deps, delivery)
      : await readDelivery(delivery, piecesOf(rows, delivery));
  if ('verdict' in read) return { kind: 'ended', verdict: read.verdict, event: null, audited: false };
  const { event: claimed } = read;
  const config = deps.config();
  const forge = config.forges[claimed.forge];
  const end = (reason: string, audited: boolean): Facts => ({
    kind: 'ended',
    verdict: { state: 'ignored', reason },
    event: claimed,
    audited,
  });
  if (forge === undefined) {
    return end(`forge ${claimed.forge} is no longer in the configuration; add it under forges`, false);
  }
  const identified = await deps.trust.repository(forge, claimed.repository);
  // Who lists nothing of the kind learns nothing more about it.
  const name = identified.kind === 'known' ? identified.repository.fullName : claimed.repository.fullName;
  if (!isListed(forge, name)) {
    return end(`repository ${name} is not listed; add it to forges.${forge.name}.repositories`, false);
  }
  if (identified.kind === 'refused') return end(identified.reason, true);
  // guard: secret of a repository: scope
  const foreign = refuseByScope(forge, identified, delivery.signed_for);
  if (foreign !== null) return end(foreign, true);
  const told = inTime({ ...claimed, repository: identified.repository }, delivery.received_at);
  const replayed = delivery.source === 'replay';
  if (!replayed && (await firstWith(rows, told)) !== null) {
    return {
      kind: 'event',
      config,
      forge,
      event: told,
      labels: null,
      gone: null,
      sender: null,
      mayJoin: null,
    };
  }
  const labels = await askLabels(deps, { forge, event: told, receivedAt: delivery.received_at });
  const event = labels === null ? told : withLabels(told, labels);
  const known = { kind: 'event', config, forge, event, labels } as const;
  const gone = await askDeletion(deps, forge, event);
  const look = { rows, config, trust: deps.trust, event, labels, replayed };
  const first = await consider({ ...look, mayJoin: null });
  const closed = wantsSender(first) ? await closedItem(deps, forge, first.event) : null;
  if (closed !== null) return end(closed, false);
  // guard: pulls: whose may join
  const mayJoin = first.asksAuthor ? await askAuthor(deps, forge, event) : null;
  const outlook = first.asksAuthor ? await consider({ ...look, mayJoin }) : first;
  const question = { forge, repository: event.repository, user: event.sender, event: event.name };
  const sender = wantsSender(outlook) ? await deps.trust.judge(question) : null;
  return { ...known, gone, sender, mayJoin };
}

/** A result of CI does not say whether its pull request is still open. */
async function closedItem(
  deps: RouterDeps,
  forge: ForgeConfig,
  event: Outlook['event'],
): Promise<string | null> {
  if (event === null || event.ci === null) return null;
  const { number } = event.item;
  const item = await deps.trust.item({ forge, repository: event.repository, number });
  // guard: ci: closed items
  return item?.state === 'closed' ? `#${number} is closed, and what CI says of it wakes nobody` : null;
}

/** Of the pull request itself, which may be another than who caused the event; as the forge has it. */
async function askAuthor(deps: RouterDeps, forge: ForgeConfig, event: ForgeEvent): Promise<boolean> {
  const { repository, item } = event;
  if (item === null || !(await deps.trust.isAsSaid({ forge, repository, item }))) return false;
  return (await deps.trust.judge({ forge, repository, user: item.author, event: null })).allowed;
}

/** As far apart as the forge's clock and its database may be. */
const SLACK_MS = 60_000;

async function askLabels(
  deps: RouterDeps,
  { forge, event, receivedAt }: { forge: ForgeConfig; event: ForgeEvent; receivedAt: number },
): Promise<LabelsTold | null> {
  const { item, repository, sender } = event;
  // guard: world trust: labels are asked for
  if (item === null || !isAboutLabels(event)) return null;
  const at = Date.parse(event.occurredAt);
  const since = new Date(Number.isNaN(at) ? receivedAt - CLOCKS_MS : at - SLACK_MS).toISOString();
  return await deps.trust.labels({ forge, repository, number: item.number, sender, since });
}

function withLabels(event: ForgeEvent, { labels, assignees, added }: LabelsTold): ForgeEvent {
  const item = { ...event.item!, labels, assignees };
  return { ...event, item, added: { ...event.added, labels: added } };
}

/** Clocks of two machines differ by this at most, where anybody cares for them. */
const CLOCKS_MS = 10 * 60_000;

/** A time to come would make every later event of the item look older than this one. */
function inTime(event: ForgeEvent, receivedAt: number): ForgeEvent {
  const isToCome = Date.parse(event.occurredAt) > receivedAt + CLOCKS_MS;
  // guard: intake: no time to come
  return isToCome ? { ...event, occurredAt: '' } : event;
}

/** Asked where something hangs on it: a deletion, and a comment that a deletion seems to have overtaken. */
async function askDeletion(deps: RouterDeps, forge: ForgeConfig, event: ForgeEvent): Promise<boolean | null> {
  const { rows } = deps.database;
  if (event.comment === null) return null;
  if (event.name !== 'comment.deleted') {
    const semanticKey = deletionKey(event);
    if (semanticKey === null || (await firstWith(rows, { forge: event.forge, semanticKey })) === null) {
      return null;
    }
  }
  const place = { forge: event.forge, repositoryId: event.repository.id, commentId: event.comment.id };
  const numbers = new Set(await itemsOfComment(rows, place));
  if (event.item !== null) numbers.add(event.item.number);
  return await deps.trust.isGone({
    forge,
    repository: event.repository,
    comment: event.comment.id,
    numbers: [...numbers],
  });
}
