/** How many values JSON has, and how deep, before it is parsed: 64 MiB of `[]` become gigabytes and take seconds. Pure. */

/** A conversation of a million tokens has about ten thousand values. */
export const MOST_VALUES = 1_000_000;
/**
 * Deeper than the schema of any tool, and shallow enough for every function that walks a value recursively.
 */
export const MOST_DEPTH = 200;

export interface Extent {
  values: number;
  depth: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
/** `[` and `{`, `]` and `}`: they differ in this one bit */
const CASE = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/** Stops at the first limit that is passed. Invalid JSON is left to the parser. */
export function extentOf(json: Buffer): Extent {
  const extent = { values: 1, depth: 0 };
  let level = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]!;
    if (byte === QUOTE) {
      at = endOfText(json, at);
    } else if (byte === COMMA) {
      extent.values++;
    } else if ((byte | CASE) === OPENING) {
      extent.values++;
      extent.depth = Math.max(extent.depth, ++level);
    } else if ((byte | CASE) === CLOSING) {
      level--;
    }
    if (extent.values > MOST_VALUES || extent.depth > MOST_DEPTH) break;
  }
  return extent;
}

function endOfText(json: Buffer, from: number): number {
  for (let at = from + 1; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at++;
  }
  return json.length;
}
