/** Holds in words. */
import { oneLine, type Paint, plain, showTime } from '../../terminal-text.ts';
import type { HoldView } from '../../views/holds.ts';

export function renderHolds(holds: readonly HoldView[], paint: Paint = plain): string {
  if (holds.length === 0) return 'Nothing is held.';
  return holds
    .map((hold) => `${hold.id.slice(0, 8)}  ${paint('waiting', oneLine(hold.holds))} ${sayHold(hold)}`)
    .join('\n');
}

/** As `is held until 2026-01-02 03:04:05Z by ada: release week`. */
export function sayHold({ until, by, reason }: Pick<HoldView, 'until' | 'by' | 'reason'>): string {
  const end = until === null ? 'until a person lifts it' : `until ${showTime(until)}`;
  return `is held ${end} by ${sayBy(by)}: ${oneLine(reason)}`;
}

const PARTS = {
  person: 'a person',
  limit: 'a limit of the model’s side',
  budget: 'its budget',
  court: 'the loop court',
  dependency: 'what it depends on',
} as const satisfies Record<HoldView['by']['kind'], string>;

function sayBy({ kind, name }: HoldView['by']): string {
  return name === null ? PARTS[kind] : oneLine(name, 60);
}

export function renderPlaced(holds: readonly HoldView[]): string {
  const lines = holds.map((hold) => `${oneLine(hold.holds)} ${sayHold(hold)} (hold ${hold.id.slice(0, 8)}).`);
  return [...lines, 'What runs now goes on; nothing more is started. `claude-hooks resume` lifts it.'].join(
    '\n',
  );
}

export function renderLifted(holds: readonly HoldView[], asked: string): string {
  if (holds.length === 0) {
    return `Nothing is held under ${oneLine(asked)}, and nothing was changed. \`claude-hooks holds\` lists what is.`;
  }
  return holds
    .map(
      (hold) =>
        `${oneLine(hold.holds)} is not held any more: ${oneLine(hold.reason)} (hold ${hold.id.slice(0, 8)}).`,
    )
    .join('\n');
}
