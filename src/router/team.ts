/** What a decision of the team adds to a delivery: the facts it is decided by, and the rows that follow from it. */
import type { AgentConfig, Flow, ForgeConfig } from '../config/config.ts';
import type { Rows } from '../database/database.ts';
import { type RouteMatch, readsDecision } from '../flows/route.ts';
import { planLook } from '../inbox/looks.ts';
import { closeAsksOf, openAsk } from '../mailbox/asks.ts';
import { planNotice } from '../mailbox/notices.ts';
import { type Decided, decideSeen, SETTLES_MS } from '../team/decided.ts';
import {
  endDecision,
  keepDecision,
  noteTold,
  otherOpenPulls,
  type PullPlace,
  readTeamStanding,
  type TeamStanding,
} from '../team/rows.ts';
import { mergeBy } from '../team/settings.ts';
import type { AccountIds } from '../trust/sender.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import type { RouterDeps, RoutingConfig } from './routing.ts';
import type { Standing } from './standing.ts';

export interface TeamFacts {
  place: PullPlace;
  standing: TeamStanding;
  decided: Decided;
}

/** Whether a flow reads the decision: it has such a clause, looks at this event, and its agent has an account here. */
function isWanted(flows: readonly Flow[], forge: ForgeConfig, event: ForgeEvent): boolean {
  return flows.some(
    (flow) =>
      flow.enabled &&
      flow.on.some((name) => name === event.name) &&
      Object.hasOwn(forge.accounts, flow.agent) &&
      readsDecision(flow),
  );
}

interface Gathering {
  config: RoutingConfig;
  forge: ForgeConfig;
  ids: AccountIds;
  event: ForgeEvent;
  standing: Standing;
}

/** Null where no flow asks, or it is no pull request of one of our agents. Asks the forge. */
export async function gatherTeam(
  deps: RouterDeps,
  { config, forge, ids, event, standing }: Gathering,
): Promise<TeamFacts | null> {
  const item = event.item ?? standing.located;
  if (deps.team === undefined || item === null || item.kind !== 'pull') return null;
  if (!isWanted(config.flows, forge, event)) return null;
  const { repository } = event;
  const place = { forge: forge.name, repositoryId: repository.id, number: item.number };
  const known = await readTeamStanding(deps.database.rows, place);
  const agents: ReadonlyMap<string, AgentConfig> = config.agents;
  const question = { forge, ids, agents, repository, number: item.number, hasCi: known.own?.hasCi === true };
  const seen = await deps.team.look(question);
  if (seen === null) return null;
  const { reviewRounds } = config.team;
  const settings = { reviewRounds, merge: mergeBy(config, forge, repository.fullName) };
  const decided = decideSeen({ forge, seen, standing: known, settings, now: deps.now() });
  return { place, standing: known, decided };
}

/** Whether the agent was told of this very act before. */
export function wasTold({ standing, decided }: TeamFacts, agent: string): boolean {
  // guard: team: one head, one review
  return decided.onceKey !== null && standing.told.includes(`${agent} ${decided.onceKey}`);
}

/** What a skill sees as `with.decision`, and what the dispatch looks at before it runs. */
export interface ToldDecision {
  act: string;
  why: string;
  head: string;
  base: string;
}

export function toldOf({ decided: { decision, facts } }: TeamFacts): ToldDecision {
  return { act: decision.act, why: decision.why, head: facts.headSha, base: facts.baseSha };
}

interface Writing {
  event: ForgeEvent;
  deliveryId: string;
  messages: readonly { match: Pick<RouteMatch, 'agent' | 'decided'> }[];
  now: number;
}

/** In the transaction of the routing. */
export async function writeTeam(tx: Rows, facts: TeamFacts, writing: Writing): Promise<void> {
  const { place, decided } = facts;
  const { event, deliveryId, messages, now } = writing;
  await keepDecision(tx, { ...place, repository: event.repository, now }, decided);
  for (const { match } of messages) {
    if (decided.onceKey === null || !match.decided) continue;
    await noteTold(tx, place, { agent: match.agent, actKey: decided.onceKey, deliveryId, now });
  }
  await askPeople(tx, facts, writing);
  if (decided.facts.mergeable !== 'unknown' || decided.unsureSince === null) return;
  const { headSha, baseSha } = decided.facts;
  const cause = `settles-${headSha.slice(0, 12)}-${baseSha.slice(0, 12)}`;
  const dueAt = decided.unsureSince + SETTLES_MS;
  const { repository, number } = { repository: event.repository, number: place.number };
  await planLook(tx, { forge: place.forge, cause, repository, number, isAgain: true, now, dueAt });
}

const PEOPLES = { 'leave-to-people': 'approval', 'ask-person': 'question' } as const;

/** Opens what waits for a person, and closes what does not any more. */
async function askPeople(tx: Rows, { place, decided }: TeamFacts, { event, now }: Writing): Promise<void> {
  const { decision, facts, onceKey } = decided;
  const prefix = asksOf(place);
  const kind = PEOPLES[decision.act as keyof typeof PEOPLES];
  const key = kind === undefined || onceKey === null ? null : `${prefix}${onceKey}`;
  await closeAsksOf(tx, { prefix, except: key, by: 'the pull request went on', now });
  if (key === null) return;
  const conversation = await conversationOf(tx, place, facts.author!);
  if (conversation !== undefined) {
    const text = `#${place.number}: ${decision.why}`;
    const about = { ...conversation, item_number: place.number };
    await openAsk(tx, { key, kind, conversation: about, dispatchId: null, text, now });
  }
  if (decision.act !== 'ask-person') return;
  await planNotice(
    tx,
    {
      key,
      kind: 'comment',
      agent: facts.author!,
      forge: place.forge,
      repository: { id: event.repository.id, fullName: event.repository.fullName },
      number: place.number,
      target: { on: 'item' },
      dispatchId: null,
      wanted: openText(decided),
      closed: true,
    },
    now,
  );
}

function asksOf({ forge, repositoryId, number }: PullPlace): string {
  return `pull:${forge}:${repositoryId}#${number}:`;
}

/** What was still open stays listed on the pull request. */
function openText({ decision, openPoints }: Decided): string {
  const points =
    openPoints.length === 0 ? [] : ['', 'Still open:', ...openPoints.map((point) => `- ${point}`)];
  return [decision.why, ...points].join('\n');
}

async function conversationOf(tx: Rows, place: PullPlace, agent: string) {
  return await tx
    .selectFrom('conversation_items as n')
    .innerJoin('conversations as c', 'c.id', 'n.conversation_id')
    .select(['c.id', 'c.forge', 'c.repository_name', 'c.item_number', 'c.agent'])
    .where('n.forge', '=', place.forge)
    .where('n.repository_id', '=', place.repositoryId)
    .where('n.number', '=', place.number)
    .where('n.kind', '=', 'pull')
    .where('n.agent', '=', agent)
    .executeTakeFirst();
}

/** A pull request that is closed or merged: nothing waits for it, and what its merge means for the others is looked at. */
export async function endPull(
  tx: Rows,
  event: ForgeEvent,
  { deliveryId, now }: Pick<Writing, 'deliveryId' | 'now'>,
): Promise<void> {
  if ((event.name !== 'pull.merged' && event.name !== 'pull.closed') || event.item === null) return;
  const { forge, repository, item } = event;
  const place = { forge, repositoryId: repository.id, number: item.number };
  await endDecision(tx, place, now);
  await closeAsksOf(tx, { prefix: asksOf(place), except: null, by: 'the pull request is over', now });
  // guard: team: a merge lets the others be looked at
  for (const number of await otherOpenPulls(tx, place)) {
    await planLook(tx, { forge, cause: `after-${deliveryId}`, repository, number, isAgain: true, now });
  }
}
