/**
 * The text of one block without the marks of its containers, and the place of each character in the whole text. Pure.
 */
import type { Segment } from './markdown-blocks.ts';

export class FlatText {
  readonly text: string;
  readonly #segments: readonly Segment[];
  /** where each segment begins in `text` */
  readonly #starts: number[] = [];

  constructor(source: string, segments: readonly Segment[]) {
    this.#segments = segments;
    const lines: string[] = [];
    let length = 0;
    for (const { start, end } of segments) {
      this.#starts.push(length);
      lines.push(source.slice(start, end));
      length += end - start + 1;
    }
    this.text = lines.join('\n');
  }

  /** The place in the whole text. The end of a line is before its break. */
  at(flat: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= flat) low = middle;
      else high = middle - 1;
    }
    const { start, end } = this.#segments[low]!;
    return Math.min(start + flat - this.#starts[low]!, end);
  }
}
