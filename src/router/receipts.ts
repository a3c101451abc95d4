/** What people are shown at once of a decision: that they may not wake an agent, or what came of their command. Pure. */
import { feedbackOf } from '../config/listed-repositories.ts';
import type { CommandResult } from '../mailbox/command.ts';
import type { NoticeTarget, PlannedNotice } from '../mailbox/notices.ts';
import type { Judgement } from '../trust/sender.ts';
import type { EventItem, ForgeEvent } from '../vocabulary.ts';
import type { RoutingConfig } from './routing.ts';

type AboutItem = ForgeEvent & { item: EventItem };

/** A stranger can write as often as they like: at most one receipt an item and day, and three a repository and hour. */
export const MOST_REFUSALS = { perRepository: 3, withinMs: 3_600_000 };
export const REFUSAL_PREFIX = 'refused:';

const DAY_LENGTH = '2026-01-31'.length;

export interface Refused {
  config: RoutingConfig;
  event: AboutItem;
  agent: string;
  sender: Judgement;
  now: number;
}

/** Null where silence is right: the person addressed nobody, or the delivery is not true. */
export function refusalReceipt({ config, event, agent, sender, now }: Refused): PlannedNotice | null {
  const { forge, repository, item } = event;
  if (feedbackOf(config, { forge, fullName: repository.fullName }) !== 'full') return null;
  const isSaying = event.name === 'comment.created' || event.name.endsWith('.opened');
  if (!isSaying || sender.permission === 'another') return null;
  const day = new Date(now).toISOString().slice(0, DAY_LENGTH);
  return {
    // guard: feedback: one refusal an item and day
    key: `${REFUSAL_PREFIX}${forge}:${repository.id}:${item.kind}/${item.number}:${day}`,
    kind: 'comment',
    agent,
    ...placeOf(event),
    target: { on: 'item' },
    dispatchId: null,
    wanted: refusalText(config.forges[forge]!.requiredPermission),
    closed: true,
  };
}

function refusalText(required: string): string {
  const who =
    required === 'none'
      ? 'people whom the operator of this service has listed'
      : `people with ${required} permission`;
  return `I did not begin: in this repository only ${who} can ask me. Ask one of them to mention or to assign me. I say this at most once a day here.`;
}

export interface Commanded {
  event: AboutItem;
  agent: string;
  /** of the event's row, so that a second delivery plans the same notice */
  eventId: string;
  ordinal: number;
  result: CommandResult;
}

/** A reaction where that says enough, else a short comment. Answered also without feedback: a person asked for it. */
export function commandReceipts({ event, agent, eventId, ordinal, result }: Commanded): PlannedNotice[] {
  const key = `command:${eventId}:${ordinal}`;
  const target: NoticeTarget =
    event.comment === null ? { on: 'item' } : { on: 'comment', commentId: event.comment.id };
  const common = { ...placeOf(event), agent, dispatchId: null, closed: true };
  const reaction: PlannedNotice = {
    ...common,
    key,
    kind: 'reaction',
    target,
    wanted: result.done ? '+1' : 'confused',
  };
  if (result.done && !result.isAsked) return [reaction];
  const comment: PlannedNotice = {
    ...common,
    key: `${key}:answer`,
    kind: 'comment',
    target: { on: 'item' },
    wanted: result.answer,
  };
  return [reaction, comment];
}

function placeOf({ forge, repository, item }: AboutItem) {
  return { forge, repository: { id: repository.id, fullName: repository.fullName }, number: item.number };
}
