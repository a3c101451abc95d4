/** Parts of a text that are taken out or replaced, in any order and overlapping. Pure. */
import { type Kind, nothingRemoved, type Removed } from './removed.ts';

export interface Cut {
  start: number;
  end: number;
  kind: Kind;
  /** what stands there instead */
  instead: string;
}

export class Cuts {
  readonly #cuts: Cut[] = [];

  add(start: number, end: number, kind: Kind, instead = ''): void {
    if (end > start || instead !== '') this.#cuts.push({ start, end, kind, instead });
  }

  /** The rest of the text, each part given to `keep`, and what was removed. A cut inside another one is part of it. */
  apply(text: string, keep: (part: string, start: number) => string): { text: string; removed: Removed } {
    const removed = nothingRemoved();
    this.#cuts.sort((a, b) => a.start - b.start || b.end - a.end);
    const kept: string[] = [];
    let from = 0;
    for (const { start, end, kind, instead } of this.#cuts) {
      if (start < from) {
        // What is only half inside the last one goes as well.
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
    kept.push(keep(text.slice(from), from));
    return { text: kept.join(''), removed };
  }
}
