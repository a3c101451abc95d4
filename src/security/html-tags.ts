/**
 * One HTML tag in a text, read by the rules of CommonMark or of a browser, and what a reader sees of it. Pure.
 */
import { seenAddress } from './link-parts.ts';
import type { Meter } from './meter.ts';

export interface Tag {
  end: number;
  /** lower case */
  name: string;
  isClosing: boolean;
  attributes: { name: string; value: string; source: string }[];
}

/**
 * Attributes that stay when their value is an address or a number, or when they have none. All others can hold text.
 */
const ADDRESSES = words('href src');
const NUMBERS = words('width height colspan rowspan start');
const WORDS: Readonly<Record<string, RegExp>> = {
  align: /^(?:left|right|center|justify)$/i,
  valign: /^(?:top|middle|bottom|baseline)$/i,
  type: /^(?:checkbox|[1aAiI])$/,
  checked: /^$/,
  disabled: /^$/,
  open: /^$/,
};
/** The forges drop these elements with their content. */
const UNSEEN_ELEMENTS = words('script style iframe noembed noframes noscript nostyle object frame frameset');
/**
 * Tags of these elements stay. Those of all others are removed, because nobody sees a tag's name; their content stays.
 */
const KNOWN_ELEMENTS = words(
  `a abbr acronym address article aside b base bdi bdo big blockquote body br button caption center cite code col
  colgroup dd del details dfn dialog dir div dl dt em embed fieldset figcaption figure font footer form h1 h2 h3 h4 h5
  h6 head header hr html i img input ins kbd label legend li link main map mark math menu meta nav ol optgroup option p
  param picture pre progress q rp rt ruby s samp section select small source span strike strong sub summary sup svg
  table tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr`,
);

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(/\s+/));
}

const LONGEST_NAME = 60;
const STRICT = {
  head: /^<(\/?)([a-z][a-z0-9-]*)(?=[\s/>])/i,
  gap: /\s*(?:\/(?=>))?/y,
  attribute: /([a-z_:][\w.:-]*)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'=<>`]+))?(?=[\s/>])/iy,
};
const LENIENT = {
  head: /^<(\/?)([a-z][^\s/>]*)/i,
  gap: /[\s/]*/y,
  attribute: /(=?[^\s/>=]+|=)(?:\s*=\s*("[^"]*"|'[^']*'|[^"'\s>][^\s>]*))?/iy,
};
const OPEN_QUOTE = /\s*=\s*["']/y;

/** Reads the tags of one text. */
export class TagReader {
  readonly #text: string;
  readonly #rules: typeof STRICT;
  readonly #meter: Meter;
  /** places between attributes from which no end of the tag was found; no scan goes over them again */
  readonly #dead = new Set<number>();

  /** `strict`: as CommonMark reads tags in a paragraph; otherwise as a browser reads raw HTML */
  constructor(text: string, strict: boolean, meter: Meter) {
    this.#text = text;
    this.#rules = strict ? STRICT : LENIENT;
    this.#meter = meter;
  }

  /** null: what begins at `at` is no tag, or never ends. */
  read(at: number): Tag | null {
    const head = this.#rules.head.exec(this.#text.slice(at, at + LONGEST_NAME));
    if (head === null) return null;
    const attributes: Tag['attributes'] = [];
    const passed: number[] = [];
    let here = at + head[0].length;
    for (;;) {
      this.#rules.gap.lastIndex = here;
      here += this.#rules.gap.exec(this.#text)![0].length;
      if (this.#text[here] === '>') {
        this.#meter.steps += here - at;
        return { end: here + 1, name: head[2]!.toLowerCase(), isClosing: head[1] === '/', attributes };
      }
      passed.push(here);
      const attribute = this.#dead.has(here) ? null : this.#attribute(here);
      if (attribute === null) break;
      attributes.push(attribute);
      here += attribute.source.length;
    }
    for (const place of passed) this.#dead.add(place);
    this.#meter.steps += here - at;
    return null;
  }

  #attribute(at: number): Tag['attributes'][number] | null {
    const { attribute } = this.#rules;
    attribute.lastIndex = at;
    const found = attribute.exec(this.#text);
    if (found === null) return null;
    const [source, name, value] = found;
    OPEN_QUOTE.lastIndex = at + source.length;
    if (value === undefined && OPEN_QUOTE.test(this.#text)) return null;
    return { name: name!.toLowerCase(), value: value ?? '', source };
  }
}

/**
 * Whether the element's content is hidden. Styles and `hidden` do not count: the forges remove those attributes.
 */
export function hidesContent({ name, isClosing }: Tag): boolean {
  return !isClosing && UNSEEN_ELEMENTS.has(name);
}

/** The tag without the parts that nobody sees; unchanged when it has none. */
export function seenOf(tag: Tag, source: string): string {
  if (!KNOWN_ELEMENTS.has(tag.name)) return '';
  const kept = tag.attributes.filter(isSeen);
  // guard: trust: attributes that nobody sees
  if (kept.length === tag.attributes.length && source.length < LONGEST_SEEN) return source;
  return `<${tag.isClosing ? '/' : ''}${[tag.name, ...kept.map((a) => a.source)].join(' ')}>`;
}

/** Longer tags are written anew, because the gaps between their attributes could be as long as a text. */
const LONGEST_SEEN = 1_000;

function isSeen({ name, value }: Tag['attributes'][number]): boolean {
  const plain = value.replace(/^(["'])([\s\S]*)\1$/, '$2').trim();
  if (ADDRESSES.has(name)) return plain !== '' && /^<?[^\s<>]+>?$/.test(seenAddress(plain));
  if (NUMBERS.has(name)) return /^\d{1,5}(?:%|px)?$/.test(plain);
  return WORDS[name]?.test(plain) ?? false;
}
