/** The parts of Markdown links that a reader does not see: titles, texts of images, definitions. Pure. */

/** CommonMark allows more; each nesting is a place from which the text is read again. */
const DEEPEST_PARENTHESES = 32;
const LONGEST_LABEL = 999;
const SPACE = /[ \t]*(?:\n[ \t>]*)?/y;
const POINTED = /<[^<>\n]*>/y;
const TITLE = /"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'|\((?:[^()\\]|\\[\s\S])*\)/y;

export interface Destination {
  /** after the closing parenthesis */
  end: number;
  /** the same without its title */
  seen: string;
}

/** Reads `(destination "title")` at `at`; null when it is no such thing. */
export function destinationAt(text: string, at: number): Destination | null {
  if (text[at] !== '(') return null;
  const start = skip(SPACE, text, at + 1);
  const pointed = skip(POINTED, text, start);
  const end = pointed > start ? pointed : plainEnd(text, start);
  if (end === null) return null;
  const afterSpace = skip(SPACE, text, end);
  if (text[afterSpace] === ')') return { end: afterSpace + 1, seen: text.slice(at, afterSpace + 1) };
  const afterTitle = afterSpace > end || end === start ? skip(TITLE, text, afterSpace) : afterSpace;
  const close = skip(SPACE, text, afterTitle);
  if (afterTitle === afterSpace || text[close] !== ')') return null;
  return { end: close + 1, seen: `(${text.slice(start, end)})` };
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  return found === null ? at : at + found[0].length;
}

/** The end of a destination without angle brackets: up to a space, with its parentheses in pairs. */
function plainEnd(text: string, start: number): number | null {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const c = text[at]!;
    if (c === '\\') at += 1;
    else if (c <= ' ') return depth === 0 ? at : null;
    else if (c === '(') {
      depth += 1;
      if (depth > DEEPEST_PARENTHESES) return null;
    } else if (c === ')') {
      if (depth === 0) return at;
      depth -= 1;
    }
  }
  return null;
}

/** `[label]: destination "title"` on a line of its own; the title may stand on the next one. */
const DEFINITION =
  /^([ \t>]*)\[((?:[^[\]\\\n]|\\.)+)\]:[ \t]*(?:\n[ \t>]*)?(<[^<>\n]*>|[^\s<]\S*)(?:[ \t]*(?:\n[ \t>]*|[ \t])("(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'|\((?:[^()\\]|\\[\s\S])*\)))?[ \t]*(?:\n|$)/gm;

export function labelOf(text: string): string {
  return text.length > LONGEST_LABEL ? '' : text.trim().replace(/\s+/g, ' ').toLowerCase();
}

/** The labels that a text defines. */
export function definedLabels(text: string): Set<string> {
  return new Set([...text.matchAll(DEFINITION)].map((found) => labelOf(found[2]!)));
}

/** The labels that stand in brackets anywhere but in a definition. */
export function usedLabels(text: string): Set<string> {
  const rest = text.replace(DEFINITION, '\n');
  return new Set([...rest.matchAll(/\[([^[\]]+)\]/g)].map((found) => labelOf(found[1]!)));
}

/**
 * Definitions show nothing at all, so one that no link uses is a comment, and a title is one in any case. Footnotes look
 * the same and are seen.
 */
export function withoutHiddenDefinitions(text: string, used: ReadonlySet<string>): string {
  return text.replace(DEFINITION, (whole, indent: string, label: string, destination: string) => {
    if (label.startsWith('^')) return whole;
    return used.has(labelOf(label)) ? `${indent}[${label}]: ${destination}\n` : '';
  });
}
