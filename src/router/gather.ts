/**
 * The facts that a decision needs: what the delivery says, what the forge answers about it, what the rows say. The forge is
 * asked outside of any transaction, because an open one would hold up every other writer. Nothing is written here.
 *
 * What is asked depends on what is known by then: the forge is asked about a sender only when a flow wants the event. So
 * the flows are tried here, once, and the decision takes their answer.
 */
import type { ForgeConfig } from '../config/config.ts';
import { isListed } from '../config/listed-repositories.ts';
import type { DeliveryRow } from '../database/tables.ts';
import { eventOf } from '../inbox/events.ts';
import { piecesOf } from '../inbox/pieces.ts';
import type { DeliveryResult } from '../inbox.ts';
import type { LabelsTold } from '../trust/labels.ts';
import type { AccountIds, Judgement } from '../trust/sender.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import { commandsOf, type GivenCommands } from './commands.ts';
import { consider, type Outlook, wantsSender, wouldJoin } from './consider.ts';
import { isAboutLabels } from './placing.ts';
import { type DeliveryReading, readDelivery } from './read-delivery.ts';
import { readLook } from './read-look.ts';
import type { RouterDeps, RoutingConfig } from './routing.ts';
import { refuseByScope } from './scope.ts';
import { readStanding, type Standing } from './standing.ts';
import { gatherTeam, type TeamFacts } from './team.ts';

/** What needs no look at the rows, and no flow. */
export interface EndedFacts {
  kind: 'ended';
  result: DeliveryResult;
  event: ForgeEvent | null;
  /** somebody tried what they may not */
  audited: boolean;
}

/** An event that another delivery told before. */
export interface RepeatedFacts {
  kind: 'repeated';
  forge: ForgeConfig;
  ids: AccountIds;
  event: ForgeEvent;
  first: NonNullable<Standing['first']>;
}

export interface EventFacts {
  kind: 'event';
  config: RoutingConfig;
  forge: ForgeConfig;
  /** of our accounts on that forge */
  ids: AccountIds;
  /** unix ms */
  receivedAt: number;
  /** an operator wants it told again */
  replayed: boolean;
  /** with the forge's own words about the repository */
  told: ForgeEvent;
  /** as `told`, with the forge's own words about labels */
  event: ForgeEvent;
  /** what the rows said of `told` */
  standing: Standing;
  outlook: Outlook;
  /** of the event's comment; null = it did not have to be asked */
  gone: boolean | null;
  /** whether its sender may wake agents; null = no flow wants it, so that it was not asked */
  sender: Judgement | null;
  /** null = it holds no command of a person */
  given: GivenCommands | null;
  /** of a pull request of one of our agents, where a flow asks what it needs next */
  team: TeamFacts | null;
}

export type Facts = EndedFacts | RepeatedFacts | EventFacts;

/** Null: somebody else decided the delivery meanwhile. */
export async function gatherFacts(deps: RouterDeps, delivery: DeliveryRow): Promise<Facts | null> {
  const read = await readEvent(deps, delivery);
  if ('result' in read) return { kind: 'ended', result: read.result, event: null, audited: false };
  const config = deps.config();
  const believed = await believe(deps, { delivery, config, claimed: read.event });
  if ('kind' in believed) return believed;
  const { forge, event: told } = believed;
  const standing = await readStanding(deps.database.rows, { delivery, event: told });
  if (!standing.isUndecided) return null;
  const ids = deps.trust.ids(forge);
  const replayed = delivery.source === 'replay';
  // guard: semantic key, part 1
  if (!replayed && standing.first !== null) {
    return { kind: 'repeated', forge, ids, event: told, first: standing.first };
  }
  const labels = await askLabels(deps, { forge, event: told, receivedAt: delivery.received_at });
  const event = labels === null ? told : withLabels(told, labels);
  const gone = await askDeletion(deps, { forge, event, standing });
  // guard: pulls: whose may join
  const mayJoin = wouldJoin(standing, config.agents.keys(), event.item)
    ? await askAuthor(deps, forge, event)
    : false;
  const team = await gatherTeam(deps, { config, forge, ids, event, standing });
  const decision = team?.decided.view ?? null;
  const outlook = consider({ config, ids, event, standing, labels, replayed, mayJoin, decision });
  const known = {
    kind: 'event',
    config,
    forge,
    ids,
    receivedAt: Number(delivery.received_at),
    replayed,
    told,
    event,
    standing,
    outlook,
    gone,
    team,
    given: await commandsOf(deps, { forge, ids, event }),
  } as const;
  if (known.given !== null) return { ...known, sender: known.given.sender };
  if (!wantsSender(outlook)) return { ...known, sender: null };
  const closed = await closedItem(deps, forge, outlook.event);
  if (closed !== null) return ended(closed, told, false);
  const question = { forge, repository: event.repository, user: event.sender, event: event.name };
  return { ...known, sender: await deps.trust.judge(question) };
}

function ended(reason: string, event: ForgeEvent, audited: boolean): EndedFacts {
  return { kind: 'ended', result: { state: 'ignored', reason }, event, audited };
}

async function readEvent(deps: RouterDeps, delivery: DeliveryRow): Promise<DeliveryReading> {
  const { rows } = deps.database;
  if (delivery.source === 'look') return await readLook(deps, delivery);
  const learned = await eventOf(rows, delivery);
  if (learned !== null) return { event: learned };
  return await readDelivery(delivery, piecesOf(rows, delivery));
}

interface Claimed {
  delivery: DeliveryRow;
  config: RoutingConfig;
  /** the event in the delivery's own words */
  claimed: ForgeEvent;
}

/** The event with the forge's own words about the repository, where name, id, list and secret agree. */
async function believe(
  deps: RouterDeps,
  { delivery, config, claimed }: Claimed,
): Promise<{ forge: ForgeConfig; event: ForgeEvent } | EndedFacts> {
  const forge = config.forges[claimed.forge];
  if (forge === undefined) {
    const reason = `forge ${claimed.forge} is no longer in the configuration; add it under forges`;
    return ended(reason, claimed, false);
  }
  const identified = await deps.trust.repository(forge, claimed.repository);
  // A repository that is not listed ends here: nothing more is said about it, and nothing is audited.
  const name = identified.kind === 'known' ? identified.repository.fullName : claimed.repository.fullName;
  if (!isListed(forge, name)) {
    const reason = `repository ${name} is not listed; add it to forges.${forge.name}.repositories`;
    return ended(reason, claimed, false);
  }
  if (identified.kind === 'refused') return ended(identified.reason, claimed, true);
  // guard: secret of a repository: scope
  const foreign = refuseByScope(forge, identified, delivery.signed_for);
  if (foreign !== null) return ended(foreign, claimed, true);
  const event = inTime({ ...claimed, repository: identified.repository }, delivery.received_at);
  return { forge, event };
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

/** Whether the author of the pull request, who need not be the sender, may let it join a conversation. */
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

/** Clocks of two machines that are looked after differ by less. */
const CLOCKS_MS = 10 * 60_000;

/** A time in the future would make every later event of the item look older than this one. */
function inTime(event: ForgeEvent, receivedAt: number): ForgeEvent {
  const isToCome = Date.parse(event.occurredAt) > receivedAt + CLOCKS_MS;
  // guard: intake: no time to come
  return isToCome ? { ...event, occurredAt: '' } : event;
}

/** Asked only for a deletion, and for a comment whose deletion was told before it. */
async function askDeletion(
  deps: RouterDeps,
  { forge, event, standing }: Pick<EventFacts, 'forge' | 'event' | 'standing'>,
): Promise<boolean | null> {
  const { comment, item, repository } = event;
  if (comment === null || (event.name !== 'comment.deleted' && !standing.isDeleted)) return null;
  const numbers = new Set(standing.waiting.flatMap(({ number }) => number ?? []));
  if (item !== null) numbers.add(item.number);
  return await deps.trust.isGone({ forge, repository, comment: comment.id, numbers: [...numbers] });
}
