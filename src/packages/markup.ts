import { Parser } from 'htmlparser2';

/**
 * The parser takes the square of the depth in time. An index page without end tags is as deep as its list is long, and
 * no parser of an index is asked to like that.
 */
const MAX_DEPTH = 1000;

export interface Markup {
  open(tag: string, attributes: Readonly<Record<string, string>>): void;
  close?(tag: string): void;
}

/** Tags in order of the text; throws when they are nested too deeply. */
export function readMarkup(text: string, o: { xml: boolean; tags: Markup }): void {
  let depth = 0;
  const parser = new Parser(
    {
      onopentag: (tag, attributes) => {
        depth += 1;
        if (depth > MAX_DEPTH) throw new Error('it is nested too deeply');
        o.tags.open(tag, attributes);
      },
      onclosetag: (tag) => {
        depth -= 1;
        o.tags.close?.(tag);
      },
    },
    { xmlMode: o.xml },
  );
  parser.end(text);
}
