/** Parts of a text that are taken out or replaced; they may come in any order and overlap. Pure. */
import { type Kind, nothingRemoved, type Removed } from './removed.ts';

export interface Cut {
  start: number;
  end: number;
  kind: Kind;
  /** what stands there instead */
  instead: string;
}

const CUTS_PER_TURN = 200;

export class Cuts {
  readonly #cuts: Cut[] = [];

  add(start: number, end: number, kind: Kind, instead = ''): void {
    if (end > start || instead !== '') this.#cuts.push({ start, end, kind, instead });
  }

  /** What was taken out so far, in order and without overlaps, to ask whether a place is inside it. */
  covered(): (at: number) => boolean {
    const merged: { start: number; end: number }[] = [];
    for (const { start, end } of this.#cuts.toSorted((a, b) => a.start - b.start)) {
      const last = merged.at(-1);
      if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
      else merged.push({ start, end });
    }
    return (at) => {
      let low = 0;
      let high = merged.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (merged[middle]!.end <= at) low = middle + 1;
        else high = middle;
      }
      return low < merged.length && merged[low]!.start <= at;
    };
  }

  /**
   * The rest of the text, handed to `keep` part by part, and what was removed. A cut inside another cut belongs to it.
   */
  *apply(
    text: string,
    keep: (part: string, start: number) => string,
  ): Generator<void, { text: string; removed: Removed }> {
    const removed = nothingRemoved();
    this.#cuts.sort((a, b) => a.start - b.start || b.end - a.end);
    const kept: string[] = [];
    let from = 0;
    let count = 0;
    for (const { start, end, kind, instead } of this.#cuts) {
      count += 1;
      if (count % CUTS_PER_TURN === 0) yield;
      if (start < from) {
        // The rest of a cut that reaches beyond the one before it goes as well.
        if (end > from) {
          removed.characters += end - from;
          from = end;
        }
        continue;
      }
      kept.push(keep(text.slice(from, start), from), instead);
      removed.counts.set(kind, (removed.counts.get(kind) ?? 0) + 1);
      removed.characters += Math.max(0, end - start - instead.length);
      from = end;
    }
    yield;
    kept.push(keep(text.slice(from), from));
    return { text: kept.join(''), removed };
  }
}
