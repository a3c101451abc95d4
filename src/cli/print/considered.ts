/** Why a flow did, or did not, take an event, in words. */
import type { Considered } from '../../flows/route.ts';
import { oneLine } from '../../terminal-text.ts';

/** Why one flow did or did not take the event. */
export function becauseOf(considered: Considered, eventName: string | null, forge: string): string {
  switch (considered.verdict) {
    case 'matched':
      return 'every clause held';
    case 'disabled':
      return 'the flow has `enabled: false`';
    case 'other-event':
      return `not on ${eventName ?? 'this event'}`;
    case 'no-account':
      return `${considered.agent} has no account here; add forges.${forge}.accounts.${considered.agent}`;
    case 'own-event':
      return `${considered.agent} caused it; an agent is never woken by what it did itself`;
    case 'condition-failed':
      return `\`${oneLine(considered.clause ?? '')}\` did not hold${showValues(considered)}`;
    case 'condition-error':
      return (
        `\`${oneLine(considered.clause ?? '')}\` could not be evaluated: ${oneLine(considered.detail ?? '')}` +
        `${showValues(considered)}; correct the condition`
      );
    case 'outranked':
      return oneLine(considered.detail ?? 'another flow for this agent came before');
  }
}

function showValues({ values }: Considered): string {
  const shown = Object.entries(values ?? {}).map(
    ([path, v]) => `${path} = ${oneLine(JSON.stringify(v), 80)}`,
  );
  return shown.length === 0 ? '' : `: ${shown.join(', ')}`;
}
