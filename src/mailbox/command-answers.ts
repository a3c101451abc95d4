/** The answers of `/claude explain` and `/claude cost`: a few sentences for somebody who sees the item only. */
import type { Rows } from '../database/database.ts';
import type { ConversationRow, DispatchRow } from '../database/tables.ts';
import { plainTime } from '../plain-time.ts';
import { holdSentences } from './command-holds.ts';

export async function explainConversation(
  rows: Rows,
  { conversation, now }: { conversation: ConversationRow; now: number },
): Promise<string> {
  const dispatches = await rows
    .selectFrom('dispatches')
    .selectAll()
    .where('conversation_id', '=', conversation.id)
    .where((e) => e.or([e('reason', 'is', null), e('reason', 'not like', 'merged into dispatch %')]))
    .orderBy('seq', 'desc')
    .limit(5)
    .execute();
  const sentences = [
    ...dispatches.filter(isOpen).map((dispatch) => openSentence(dispatch, now)),
    ...(await holdSentences(rows, conversation, now)),
    lastSentence(dispatches.find((dispatch) => !isOpen(dispatch) && dispatch.attached_by === null)),
  ];
  return sentences.filter((sentence) => sentence !== '').join(' ');
}

function isOpen({ state }: DispatchRow): boolean {
  return ['running', 'queued', 'parked', 'interrupted'].includes(state);
}

function openSentence(
  { state, started_at: started, due_at: due, attempt, attached_by: by }: DispatchRow,
  now: number,
): string {
  if (by !== null) {
    return `Whoever runs this service has been at my terminal since ${plainTime(Number(started ?? now))}; what is asked here waits until they leave.`;
  }
  switch (state) {
    case 'running':
      return `I have been at work since ${plainTime(started ?? now)}${attempt > 1 ? ` (attempt ${attempt})` : ''}.`;
    case 'parked':
      return `I wait until ${plainTime(due)} and go on by myself then.`;
    default:
      return 'I was asked something here and have not begun yet.';
  }
}

function lastSentence(last: DispatchRow | undefined): string {
  if (last === undefined) return 'I have ended nothing here yet.';
  const at = last.ended_at === null ? '' : ` at ${plainTime(last.ended_at)}`;
  switch (last.state) {
    case 'succeeded':
      return `My last answer here was given${at}.`;
    case 'unposted':
      return `My last answer here was made${at}, and the forge refused it. The operator can post it.`;
    case 'cancelled':
      return `What I was asked last was cancelled${at}. \`/claude retry\` lets me do it after all.`;
    default:
      return `My last run here failed${at}. \`/claude retry\` lets me try again.`;
  }
}

/** From the ledger, at list prices. */
export async function costOf(rows: Rows, { id }: Pick<ConversationRow, 'id'>): Promise<string> {
  const found = await rows
    .selectFrom('model_requests')
    .select(({ fn }) => [
      fn.countAll<number>().as('requests'),
      fn.sum<number | null>('micro_usd').as('microUsd'),
      fn.count<number>('micro_usd').as('priced'),
    ])
    .where('conversation_id', '=', id)
    .where('outcome', '!=', 'capped')
    .executeTakeFirstOrThrow();
  const requests = Number(found.requests);
  if (requests === 0) return 'This conversation has cost nothing so far.';
  const usd = (Number(found.microUsd ?? 0) / 1e6).toFixed(2);
  const unpriced = requests - Number(found.priced);
  const rest = unpriced === 0 ? '' : ` ${unpriced} of them have no known price and are not in it.`;
  return `This conversation has cost $${usd} so far, at list prices, in ${requests} requests to the model.${rest}`;
}
