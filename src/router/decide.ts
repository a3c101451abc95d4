/** What becomes of a delivery, from its facts. Pure: `write.ts` carries it out. */
import type { NewItemRow } from '../database/tables.ts';
import type { RouteMatch } from '../flows/route.ts';
import { kitOf } from '../forges/registry.ts';
import type { Look } from '../inbox/looks.ts';
import type { DeliveryResult } from '../inbox.ts';
import { isSameItem } from '../item-key.ts';
import type { WaitingMessage } from '../mailbox/messages.ts';
import { hasNoticeMark } from '../mailbox/notice-marks.ts';
import type { PlannedNotice } from '../mailbox/notices.ts';
import { explainPull } from '../team/table.ts';
import { optOutReason } from '../trust/opt-out.ts';
import { isOurAccount, type Judgement } from '../trust/sender.ts';
import type { EventItem, ForgeEvent } from '../vocabulary.ts';
import type { WrittenCommand } from './command-words.ts';
import type { EventFacts, Facts } from './gather.ts';
import { refusalReceipt } from './receipts.ts';
import type { StoredDecision } from './routing.ts';
import type { StandingConversation } from './standing.ts';
import { type TeamFacts, toldOf, wasTold } from './team.ts';

export interface Decision {
  result: DeliveryResult;
  /** of what is ignored: `refused` is in the audit, `unwanted` is by every flow */
  kind?: 'refused' | 'unwanted';
  /** as the delivery told it; null = it told of none */
  event: ForgeEvent | null;
  /** the event to be stored, complete; null = it is not believed, or was stored before */
  stored: ForgeEvent | null;
  /** for `explain`; the messages join it when they are written */
  explained: Omit<StoredDecision, 'messages'> | null;
  /** what is remembered of the item from now on */
  item: NewItemRow | null;
  /** it may take back what runs of its item are for */
  recalls: boolean;
  look: Look | null;
  /** to be declined */
  retracted: readonly WaitingMessage[];
  /** for the audit */
  refusal: { event: ForgeEvent; reason: string; sender: Judgement | null } | null;
  messages: readonly PlannedMessage[];
  /** of a person who may give them, for the conversations of the item */
  commands: readonly WrittenCommand[];
  /** what the sender is told of a refusal */
  receipt: PlannedNotice | null;
  /** to be kept, whoever is woken */
  team: TeamFacts | null;
}

export interface PlannedMessage {
  match: RouteMatch;
  event: ForgeEvent & { item: EventItem };
  /** the conversation that it goes to; null = a new one */
  conversation: StandingConversation | null;
  quietMs: number;
  maxWaitMs: number;
  /** a person wrote or did it, not CI and no agent */
  isByPerson: boolean;
  /** given to the skill beside the flow's own values */
  parameters: Readonly<Record<string, unknown>>;
}

const NOTHING = {
  stored: null,
  explained: null,
  item: null,
  recalls: false,
  look: null,
  retracted: [],
  refusal: null,
  messages: [],
  commands: [],
  receipt: null,
  team: null,
} as const satisfies Partial<Decision>;

export function decide(facts: Facts): Decision {
  switch (facts.kind) {
    case 'ended': {
      const { result, event, audited } = facts;
      if (!audited || event === null || !('reason' in result)) return { ...NOTHING, result, event };
      const refusal = { event, reason: result.reason, sender: null };
      return { ...NOTHING, result, event, kind: 'refused', refusal };
    }
    case 'repeated':
      return {
        ...NOTHING,
        result: { state: 'duplicate', of: facts.first.delivery },
        event: facts.event,
      };
    case 'event':
      return decideEvent(facts);
  }
}

const STILL_THERE =
  'not on the forge: the forge still has the comment, so nothing is taken back. If it should be gone, delete it there';
const OVERTAKEN = 'the comment was deleted before this could be routed';

function decideEvent(facts: EventFacts): Decision {
  const { event, outlook, gone, replayed, sender, standing } = facts;
  // guard: intake: a real deletion
  if (event.name === 'comment.deleted' && gone === false) {
    const refusal = { event, reason: STILL_THERE, sender };
    return { ...NOTHING, result: ignored(STILL_THERE), event, kind: 'refused', refusal };
  }
  const stored = outlook.placed.event;
  if (outlook.event === null) {
    const result = ignored(`${event.name} names no issue or pull request`);
    return { ...NOTHING, result, event, stored };
  }
  const remembered = {
    ...NOTHING,
    event,
    stored,
    item: outlook.placed.row,
    recalls: true,
    look: lookAtNewPull(facts),
    team: facts.team,
  };
  if (isNoticeOfOurs(facts)) return { ...remembered, result: ignored(OWN_NOTICE), kind: 'unwanted' };
  if ((event.name !== 'comment.deleted' && gone === true && !replayed) || facts.given?.isGone === true) {
    return { ...remembered, result: ignored(OVERTAKEN) };
  }
  const retracted = event.name === 'comment.deleted' ? standing.waiting : [];
  const isRetracted = retracted.length > 0;
  const note = isRetracted ? `${retracted.length} waiting message(s) of this comment were declined` : null;
  const known = {
    ...remembered,
    retracted,
    explained: { considered: outlook.route.considered, note, sender, ...pullLines(facts.team) },
  };
  const out = optOutReason(facts.forge, outlook.event.item);
  const isCommand = facts.given !== null && facts.given.commands.length > 0;
  if (out !== null && !isCommand && !isRetracted) {
    return {
      ...known,
      result: ignored(out),
      kind: outlook.route.matches.length > 0 ? 'refused' : 'unwanted',
    };
  }
  // guard: trust: permission of the sender
  const reason = outlook.fork ?? (sender?.allowed === false ? sender.reason : null);
  if (reason !== null) {
    return {
      ...known,
      result: ignored(reason),
      kind: 'refused',
      refusal: { event: outlook.event, reason, sender },
      receipt: receiptFor(facts, outlook.event),
    };
  }
  const { commands, saysMore } = facts.given ?? NO_COMMANDS;
  // guard: commands: a command alone is no message
  const messages = saysMore && out === null ? plannedMessages(facts, outlook.event) : [];
  if (messages.length > 0 || isRetracted || commands.length > 0) {
    return { ...known, result: { state: 'routed' }, messages, commands };
  }
  if (outlook.route.matches.length > 0) {
    const isKnownFailure = event.name === 'ci.failed';
    return { ...known, result: ignored(isKnownFailure ? KNOWN_FAILURE : TOLD_BEFORE) };
  }
  return { ...known, result: ignored(UNWANTED), kind: 'unwanted' };
}

const NO_COMMANDS = { commands: [], saysMore: true } as const;
const OWN_NOTICE = 'it is a notice of our own about work in progress';

/** One agent's status comment must not wake another agent. */
function isNoticeOfOurs({ event, forge, ids }: EventFacts): boolean {
  const { comment } = event;
  // guard: feedback: a notice wakes nobody
  return comment !== null && hasNoticeMark(comment.body) && isOurAccount(forge, ids, comment.author);
}

/** A person who addressed an agent is told; the forge's robots, and others' robots, are not. */
function receiptFor(
  { config, forge, ids, outlook, sender, receivedAt, given }: EventFacts,
  event: ForgeEvent & { item: EventItem },
): PlannedNotice | null {
  if (!isPerson(forge, ids, event) || sender === null || outlook.fork !== null) return null;
  const agent = outlook.route.matches[0]?.agent ?? (given === null ? null : Object.keys(forge.accounts)[0]);
  return agent == null ? null : refusalReceipt({ config, event, agent, sender, now: receivedAt });
}

function isPerson(forge: EventFacts['forge'], ids: EventFacts['ids'], { sender, ci }: ForgeEvent): boolean {
  return ci === null && kitOf(forge.kind).accountOf(sender) === 'person' && !isOurAccount(forge, ids, sender);
}

const UNWANTED = 'no flow wants it; `claude-hooks explain` names each flow and what it lacked';
const KNOWN_FAILURE = 'its conversation has been told that CI failed on this commit, and deals with it once';

const TOLD_BEFORE = 'its agents were told of this before, at the same head';

function pullLines(team: TeamFacts | null): { pull?: readonly string[] } {
  return team === null ? {} : { pull: explainPull(team.decided.decision, team.decided.facts) };
}

function ignored(reason: string): DeliveryResult {
  return { state: 'ignored', reason };
}

/** What CI told of its commits before may have gone to nobody. What has joined a conversation was looked at then. */
function lookAtNewPull({ event, forge, ids, standing }: EventFacts): Look | null {
  const { name, item, repository } = event;
  if (name !== 'pull.opened' || item === null || !isOurAccount(forge, ids, item.author)) return null;
  const isJoined = standing.conversations.some((c) => isSameItem(c.on, item));
  // guard: ci: look for our deliveries
  return isJoined ? null : { repository, number: item.number };
}

function plannedMessages(
  { config, forge, ids, outlook, standing, team, replayed }: EventFacts,
  event: ForgeEvent & { item: EventItem },
): PlannedMessage[] {
  return outlook.route.matches.flatMap((match) => {
    const conversation = outlook.known.get(match.agent) ?? null;
    // guard: ci: told once
    if (conversation !== null && standing.told.includes(conversation.id)) return [];
    if (team !== null && match.decided && !replayed && wasTold(team, match.agent)) return [];
    const agent = config.agents.get(match.agent)!;
    return [
      {
        match,
        event,
        conversation,
        quietMs: agent.quietSeconds * 1000,
        maxWaitMs: agent.maxWaitSeconds * 1000,
        isByPerson: isPerson(forge, ids, event),
        parameters: team === null || !match.decided ? match.with : { ...match.with, decision: toldOf(team) },
      },
    ];
  });
}
