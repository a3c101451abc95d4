/**
 * How deep a JSON text is nested and how many values it has, counted on its bytes before it is parsed: a body of 25 MB
 * can hold ten million empty lists, which take a gigabyte once they are objects. Strings count as one value, however
 * long they are.
 */

/** A delivery of a forge has some hundred values, ten deep. */
const MOST_VALUES = 200_000;
const DEEPEST = 100;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
/** [ and { */
const OPENING = [0x5b, 0x7b] as const;
/** ] and } */
const CLOSING = [0x5d, 0x7d] as const;

/** What is wrong with the shape, or null. Whether it is JSON at all, the parser says. */
export function shapeProblem(json: Uint8Array): string | null {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]!;
    if (byte === QUOTE) at = endOfString(json, at);
    else if (byte === COMMA) values++;
    else if (byte === OPENING[0] || byte === OPENING[1]) {
      values++;
      depth++;
    } else if (byte === CLOSING[0] || byte === CLOSING[1]) depth--;
    // guard: bodies: the shape of JSON, part 2
    if (depth > DEEPEST) return `it is nested more than ${DEEPEST} deep`;
    // guard: bodies: the shape of JSON, part 1
    if (values > MOST_VALUES) return `it has more than ${MOST_VALUES} values`;
  }
  return null;
}

/** The place of the closing quote; the end of the text when there is none. */
function endOfString(json: Uint8Array, start: number): number {
  for (let at = start + 1; ; ) {
    const quote = json.indexOf(QUOTE, at);
    if (quote < 0) return json.length;
    let escapes = 0;
    while (json[quote - 1 - escapes] === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return quote;
    at = quote + 1;
  }
}
