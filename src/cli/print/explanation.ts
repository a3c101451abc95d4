/** A delivery's explanation as text: the answer first, then what it follows from. */
import { oneLine, type Paint, plain, showTime } from '../../terminal-text.ts';
import type { Explained } from '../../views/explain-item.ts';
import type { DeliveryExplanation, MessageView } from '../../views/explanation.ts';
import { columns, indent } from './columns.ts';
import { becauseOf } from './considered.ts';
import { DELIVERY_TONES, renderItemExplanation } from './deliveries.ts';
import { renderDispatch } from './dispatch.ts';

export function renderExplained(explained: Explained, paint: Paint = plain): string {
  return 'item' in explained
    ? renderItemExplanation(explained, { now: Date.now(), paint })
    : renderExplanation(explained, paint);
}

export function renderExplanation(explanation: DeliveryExplanation, paint: Paint = plain): string {
  const { delivery } = explanation;
  return [
    `delivery ${delivery.id}: ${paint(DELIVERY_TONES[delivery.state], delivery.state)}`,
    ...indent(explanation.answers),
    '',
    ...indent(columns(factsOf(explanation))),
    ...section('pull request', [...explanation.pull.map((line) => oneLine(line, 400))]),
    ...section('flows', flowLines(explanation)),
    ...section(
      'what followed',
      explanation.messages.flatMap((m) => messageLines(m, paint)),
    ),
  ].join('\n');
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...indent(lines)];
}

function factsOf({ delivery, event, duplicates, note, sender }: DeliveryExplanation): string[][] {
  return [
    ['event', `${delivery.eventName ?? 'none'} from ${delivery.forge} (${delivery.source})`],
    ...(event === null
      ? []
      : [
          [
            'about',
            `${oneLine(event.repository)}${event.item ?? ''} ${oneLine(event.title ?? '', 80)}`.trimEnd(),
          ],
          ['by', oneLine(event.sender)],
        ]),
    ...(sender === null ? [] : [[sender.allowed ? 'trusted' : 'not trusted', oneLine(sender.reason, 400)]]),
    ...(delivery.signedFor === null ? [] : [['signed for', signer(delivery.signedFor)]]),
    ['received', showTime(delivery.receivedAt)],
    ['decided', showTime(delivery.decidedAt)],
    ["forge's id", oneLine(delivery.forgeDeliveryId)],
    ...(note === null ? [] : [['note', oneLine(note)]]),
    ...(duplicates.length === 0 ? [] : [['repeated by', duplicates.join(', ')]]),
  ];
}

function signer(signedFor: string): string {
  return signedFor === '*'
    ? 'nobody: replayed from a file'
    : `${oneLine(signedFor)} alone, with its own secret`;
}

/** Flows for other events are only named, so that a dozen of them do not push the others off the screen. */
function flowLines({ considered, delivery }: DeliveryExplanation): string[] {
  const telling = considered.filter((c) => c.verdict !== 'other-event');
  const others = considered.filter((c) => c.verdict === 'other-event').map((c) => c.flow);
  return [
    ...columns(
      telling.map((c) => [c.flow, c.agent, c.verdict, becauseOf(c, delivery.eventName, delivery.forge)]),
    ),
    ...(others.length === 0 ? [] : [`not on ${delivery.eventName}: ${others.join(', ')}`]),
  ];
}

function messageLines(message: MessageView, paint: Paint): string[] {
  const reason = message.reason === null ? '' : `: ${oneLine(message.reason)}`;
  return [
    `message to ${message.agent} on ${oneLine(message.item)} (flow ${message.flow}, skill ${message.skill}): ${message.state}${reason}`,
    ...indent([
      `conversation ${message.conversation}`,
      ...message.dispatches.flatMap((d) => renderDispatch(d, paint)),
    ]),
  ];
}
