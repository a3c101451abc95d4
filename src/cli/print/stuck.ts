/** What is stuck, in words. */
import { oneLine } from '../../terminal-text.ts';
import type { StuckItem } from '../../views/stuck.ts';

export function renderStuck(items: readonly StuckItem[]): string {
  if (items.length === 0) return 'Nothing is stuck, as far as the rules see. They are asked every half hour.';
  return items.map(lines).join('\n\n');
}

function lines({ rule, item, agent, conversation, why, remedy, foundAt, did, actedAt }: StuckItem): string {
  const whose = agent === null ? '' : `, agent ${agent}`;
  return [
    `${oneLine(item)}  ${rule}${whose}`,
    `  ${oneLine(why)} (since ${foundAt})`,
    ...(conversation === null ? [] : [`  conversation ${conversation}`]),
    ...(actedAt === null ? [] : [`  ${actedAt}: ${oneLine(did ?? 'acted')}`]),
    `  ${remedy}`,
  ].join('\n');
}
