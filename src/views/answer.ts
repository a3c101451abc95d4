/** The answer to "why did it (not) run?" in sentences, each ending with what to do where there is something to do. */
import { count, oneLine, showDuration, showTime } from '../terminal-text.ts';
import type { DispatchView } from './dispatches.ts';
import type { DeliveryExplanation, MessageView } from './explanation.ts';
import type { HoldView } from './holds.ts';

export function answerDelivery(explanation: Omit<DeliveryExplanation, 'answers'>, now: number): string[] {
  const { delivery } = explanation;
  switch (delivery.state) {
    case 'received':
      return [answerUndecided(explanation, now)];
    case 'duplicate':
      return [
        `It did not run: it is the same happening as delivery ${delivery.duplicateOf}, which came first. ` +
          'Explain that one; a replay of either runs it again.',
      ];
    case 'failed':
      return [
        `It did not run: it could not be routed: ${oneLine(delivery.reason ?? 'no reason was stored')}. ` +
          'Correct the cause, then replay the delivery.',
      ];
    case 'ignored':
      return [answerIgnored(explanation)];
    case 'routed':
      return explanation.messages.length === 0
        ? [`Nobody was woken: ${oneLine(explanation.note ?? 'its messages are gone')}.`]
        : explanation.messages.map((m) => answerMessage(m, now));
  }
}

function answerUndecided({ delivery }: Omit<DeliveryExplanation, 'answers'>, now: number): string {
  if (delivery.attempts > 0) {
    return (
      `Not decided yet: routing failed ${count(delivery.attempts, 'time')}, last with: ` +
      `${oneLine(delivery.reason ?? 'no reason was stored')}. It is tried again at ${showTime(delivery.nextAttemptAt)}.`
    );
  }
  const waited = showDuration(now - Date.parse(delivery.receivedAt));
  return `Not decided yet, ${waited} after it arrived. If this lasts longer than a few seconds, check that the service runs.`;
}

function answerIgnored({ delivery, considered }: Omit<DeliveryExplanation, 'answers'>): string {
  // A flow that matched and did not run was refused afterwards, because of the sender or of a fork.
  if (considered.length === 0 || considered.some((c) => c.verdict === 'matched'))
    return `It did not run: ${oneLine(delivery.reason ?? 'no reason was stored', 600)}.`;
  const reached = considered.filter((c) => c.verdict !== 'other-event' && c.verdict !== 'disabled');
  if (reached.length > 0) {
    return `It did not run: ${count(reached.length, 'flow')} on ${delivery.eventName}, and none of them matched. The list below names what each lacked.`;
  }
  const off = considered.filter((c) => c.verdict === 'disabled').length;
  return (
    `It did not run: none of ${count(considered.length, 'flow')} is on ${delivery.eventName}` +
    `${off === 0 ? '' : ` (${off} disabled)`}. Add ${delivery.eventName} to the \`on\` of the flow that should take it.`
  );
}

function answerMessage(message: MessageView, now: number): string {
  const who = `${message.agent} on ${message.item}`;
  if (message.state === 'answered') return `${who}: it ran and was answered.`;
  if (message.state === 'declined') {
    return `${who}: declined: ${oneLine(message.reason ?? 'no reason was stored')}. Replay the delivery to run it again.`;
  }
  const running = message.dispatches.find((d) => d.state === 'running');
  if (running !== undefined && message.state === 'waiting') {
    return `${who}: it waits for dispatch ${running.id}, which runs in the same conversation since ${showTime(running.startedAt)}.`;
  }
  const dispatch = running ?? message.dispatches.findLast((d) => d.state !== 'cancelled');
  if (dispatch === undefined) {
    return `${who}: it waits and no dispatch is planned for it. This is a bug: report it with the id of the delivery.`;
  }
  return `${who}: ${answerWaiting(dispatch, message.holds, now)}`;
}

function answerWaiting(dispatch: DispatchView, holds: HoldView[], now: number): string {
  const hold = holds[0];
  const due = Date.parse(dispatch.dueAt);
  const why = dispatch.reason === null ? '' : ` (${oneLine(dispatch.reason)})`;
  if (dispatch.state === 'running') {
    return `it is running since ${showTime(dispatch.startedAt)} on ${dispatch.worker}.`;
  }
  if (dispatch.state === 'parked' && due > now) return `parked until ${showTime(dispatch.dueAt)}${why}.`;
  if (hold !== undefined) {
    const until = hold.until === null ? 'until a person lifts it' : `until ${showTime(hold.until)}`;
    return `${hold.holds} is held ${until}: ${oneLine(hold.reason)} (hold ${hold.id.slice(0, 8)}; \`claude-hooks resume ${hold.id.slice(0, 8)}\` lifts it).`;
  }
  if (due > now)
    return `${dispatch.state}, due in ${showDuration(due - now)}${why}: more messages may come until then.`;
  return (
    `${dispatch.state}${why} and due since ${showTime(dispatch.dueAt)}: it waits for a worker with a free place for ` +
    `${dispatch.agent}. Check that a worker runs and that ${dispatch.agent} is in its configuration.`
  );
}
