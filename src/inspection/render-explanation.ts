/** A delivery's explanation as text: the answer first, then what it follows from. */
import { becauseOf } from './answer.ts';
import { renderDispatch } from './dispatches.ts';
import type { DeliveryExplanation, MessageView } from './explanation.ts';
import { columns, indent, oneLine, showTime } from './text.ts';

export function renderExplanation(explanation: DeliveryExplanation): string {
  const { delivery } = explanation;
  return [
    `delivery ${delivery.id}: ${delivery.state}`,
    ...indent(explanation.answers),
    '',
    ...indent(columns(factsOf(explanation))),
    ...section('flows', flowLines(explanation)),
    ...section('what followed', explanation.messages.flatMap(messageLines)),
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

/** Flows for other events are only named: with a dozen of them the telling lines would leave the screen. */
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

function messageLines(message: MessageView): string[] {
  const reason = message.reason === null ? '' : `: ${oneLine(message.reason)}`;
  return [
    `message to ${message.agent} on ${oneLine(message.item)} (flow ${message.flow}, skill ${message.skill}): ${message.state}${reason}`,
    ...indent([`conversation ${message.conversation}`, ...message.dispatches.flatMap(renderDispatch)]),
  ];
}
