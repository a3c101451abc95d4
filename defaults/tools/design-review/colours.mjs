/** Colours in the sources of the change that neither the base branch nor the design tokens have. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';

const HEX = /#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})(?![0-9a-z_-])/gi;
const KINDS = new Set(['.css', '.scss', '.less', '.html', '.vue', '.svelte', '.jsx', '.tsx']);
const LARGEST = 2_000_000;

export function newColours({ after, before, tokens }) {
  if (tokens === null || !existsSync(after)) return [];
  const known = new Set(coloursIn(readFileSync(tokens, 'utf8')).map(({ value }) => value));
  const old = new Set(before !== null && existsSync(before) ? places(before).map(({ value }) => value) : []);
  return places(after).filter(({ value }) => !known.has(value) && !old.has(value));
}

function places(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => KINDS.has(extname(file)) && !/(^|\/)(node_modules|\.git)\//.test(file))
    .filter((file) => statSync(join(folder, file)).size <= LARGEST)
    .toSorted()
    .flatMap((file) =>
      coloursIn(readFileSync(join(folder, file), 'utf8')).map((found) => ({ file, ...found })),
    );
}

/** Anchors such as `href="#fade"` are no colours. */
function coloursIn(text) {
  return text
    .split('\n')
    .flatMap((line, index) =>
      [
        ...line
          .replaceAll(/(?:href|xlink:href|for|id)\s*=\s*["']#[^"']*["']|url\(#[^)]*\)/gi, '')
          .matchAll(HEX),
      ].map(([value]) => ({ line: index + 1, value: full(value) })),
    );
}

/** `#abc` is `#aabbcc`. */
function full(value) {
  const digits = value.slice(1).toLowerCase();
  return `#${digits.length < 6 ? [...digits].map((digit) => digit + digit).join('') : digits}`;
}
