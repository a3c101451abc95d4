/** What the last answered run of a conversation had seen of each of its items, as its row keeps it. Pure. */
import type { Snapshot } from '../flows/changes.ts';
import { type ItemInRepository, printItem } from '../item-key.ts';

type Seen = Record<string, Snapshot>;

function readSeen(stored: string | null): Seen {
  return stored === null ? {} : (JSON.parse(stored) as Seen);
}

/** Null = nothing yet. Releases before the kind was part of the key kept it by the number alone. */
export function seenOf(stored: string | null, item: ItemInRepository): Snapshot | null {
  const seen = readSeen(stored);
  // guard: kind of an item: what earlier releases kept
  return seen[printItem(item)] ?? seen[item.number] ?? null;
}

/** The row after a run that was shown these items. */
export function withSeen(
  stored: string | null,
  shown: readonly { item: ItemInRepository; snapshot: Snapshot }[],
): string {
  const seen = readSeen(stored);
  for (const { item, snapshot } of shown) {
    delete seen[item.number];
    seen[printItem(item)] = snapshot;
  }
  return JSON.stringify(seen);
}
