/** One HTML tag in a text, read as CommonMark or as a browser would, and what a reader sees of it. Pure. */

/** Counts the characters looked at, so that a test can see that the time is linear. */
export interface Meter {
  steps: number;
}

export interface Tag {
  end: number;
  /** lower case */
  name: string;
  isClosing: boolean;
  attributes: { name: string; value: string; source: string }[];
}

/** What stays of a tag. All other attributes can hold text that nobody sees. */
const KEPT_ATTRIBUTES = words(
  'href src width height align valign colspan rowspan type checked disabled open start',
);
/** Forges drop these with their content. */
const UNSEEN_ELEMENTS = words(
  'script style title template iframe noembed noframes noscript object frame frameset',
);
const VOID_ELEMENTS = words('area base br col embed frame hr img input link meta param source track wbr');
/** A line that begins with one of these is raw HTML, well-formed or not. */
const BLOCK_ELEMENTS = words(
  `address article aside base basefont blockquote body caption center col colgroup dd details dialog dir div dl dt
  fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe legend li link main
  menu menuitem nav noframes ol optgroup option p param pre script search section style summary table tbody td textarea
  tfoot th thead title tr track ul`,
);
const HIDING_STYLE =
  /display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?:opacity|font-size|max-height|height|width)\s*:\s*0(?![.\d]*[1-9])|color\s*:\s*transparent/i;

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
  /** places between attributes from which no end of the tag was found: no scan passes them twice */
  readonly #dead = new Set<number>();

  /** `strict`: as CommonMark takes tags in a paragraph; else as a browser takes them in raw HTML */
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

/** Whether nobody sees the element's content. */
export function hidesContent({ name, isClosing, attributes }: Tag): boolean {
  if (isClosing || VOID_ELEMENTS.has(name)) return false;
  return (
    UNSEEN_ELEMENTS.has(name) ||
    attributes.some((a) => a.name === 'hidden' || (a.name === 'style' && HIDING_STYLE.test(a.value)))
  );
}

/** The tag without attributes that nobody sees; unchanged when it has none. */
export function seenOf(tag: Tag, source: string): string {
  if (UNSEEN_ELEMENTS.has(tag.name)) return '';
  const kept = tag.attributes.filter((a) => KEPT_ATTRIBUTES.has(a.name) && !/^["']?\s*data:/i.test(a.value));
  if (kept.length === tag.attributes.length) return source;
  return `<${tag.isClosing ? '/' : ''}${[tag.name, ...kept.map((a) => a.source)].join(' ')}>`;
}

/** Whether a line that begins with this is raw HTML even if its tag never ends. */
export function beginsRawHtml(text: string, at: number): boolean {
  const name = /^<\/?([a-z][a-z0-9]*)/i.exec(text.slice(at, at + LONGEST_NAME))?.[1]?.toLowerCase() ?? '';
  if (!BLOCK_ELEMENTS.has(name)) return false;
  // Not from the start of the line: a long line full of tags would be read once for each.
  const before = text.slice(Math.max(0, at - LONGEST_NAME), at);
  const line = before.slice(before.lastIndexOf('\n') + 1);
  return line.length < LONGEST_NAME && /^[ \t>*+\-\d.)]*$/.test(line);
}
