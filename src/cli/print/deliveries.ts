/** Deliveries, and all that came about one item, as text. */
import { count, oneLine, type Paint, plain, showTime, type Tone } from '../../terminal-text.ts';
import type { DeliveryList, DeliverySummary } from '../../views/deliveries.ts';
import type { ItemExplanation } from '../../views/explain-item.ts';
import type { DeliveryState } from '../../vocabulary.ts';
import { columns, indent } from './columns.ts';
import { itemOf, SHOWN_ID } from './conversations.ts';
import { renderDispatch } from './dispatch.ts';
import { showState } from './state.ts';

export const DELIVERY_TONES = {
  received: 'waiting',
  routed: 'good',
  ignored: 'quiet',
  duplicate: 'quiet',
  failed: 'bad',
} as const satisfies Record<DeliveryState, Tone>;

export function renderDeliveries(list: DeliveryList, paint: Paint = plain): string {
  if (list.deliveries.length > 0) return deliveryLines(list, paint).join('\n');
  return 'No such deliveries. If some should have arrived, look into the history of the webhook on the forge, or run `claude-hooks doctor`.';
}

function deliveryLines({ deliveries, total }: DeliveryList, paint: Paint): string[] {
  const more = total - deliveries.length;
  return [
    ...columns([
      ['delivery', 'received', 'event', 'item', 'by', 'state', 'what came of it'].map((title) =>
        paint('title', title),
      ),
      ...deliveries.map((d) => [
        d.id.slice(0, SHOWN_ID),
        showTime(d.receivedAt),
        `${d.eventName ?? '-'}${d.source === 'webhook' ? '' : ` (${d.source})`}`,
        showItem(d),
        d.sender === null ? '-' : oneLine(d.sender, 40),
        paint(DELIVERY_TONES[d.state], d.state),
        showResult(d),
      ]),
    ]),
    ...(more > 0 ? [`… and ${more} more; raise --limit to see them`] : []),
  ];
}

function showItem({ forge, repository, number }: DeliverySummary): string {
  if (repository === null) return forge;
  return `${forge}:${oneLine(repository, 80)}${number === null ? '' : `#${number}`}`;
}

function showResult(d: DeliverySummary): string {
  if (d.state === 'duplicate') return `the same as ${d.duplicateOf?.slice(0, SHOWN_ID) ?? 'another'}`;
  if (d.woke.length === 0) return d.reason === null ? '' : oneLine(d.reason, 120);
  return d.woke.map((w) => `${w.agent}: ${showWoken(w)}`).join('; ');
}

function showWoken({ message, reason, dispatch, state }: DeliverySummary['woke'][number]): string {
  const why = reason === null ? '' : ` (${oneLine(reason, 80)})`;
  return dispatch === null
    ? `${message}${why}`
    : `${message}${why} by dispatch ${dispatch.slice(0, SHOWN_ID)}, ${state}`;
}

export function renderItemExplanation(
  { item, conversations, deliveries, total }: ItemExplanation,
  { now, paint }: { now: number; paint: Paint },
): string {
  const forge = item.forge === null ? '' : `${item.forge}:`;
  const name = `${forge}${oneLine(item.repository)}#${item.number}`;
  return [
    `${name}: ${total === 1 ? '1 delivery' : `${total} deliveries`}, ${count(conversations.length, 'conversation')}`,
    ...(conversations.length > 0
      ? []
      : ['  No agent was woken; `claude-hooks explain <delivery>` tells why of each delivery.']),
    ...conversations.flatMap((c) => [
      '',
      `${c.agent} on ${itemOf(c)}: ${showState(c.state, now, paint)}`,
      ...indent([`conversation ${c.id}`, ...c.dispatches.flatMap((d) => renderDispatch(d, paint))]),
    ]),
    '',
    'deliveries, newest first',
    ...(deliveries.length === 0
      ? ['  none that is known to be about it']
      : indent(deliveryLines({ deliveries, total }, paint))),
  ].join('\n');
}
