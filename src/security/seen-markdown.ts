/**
 * A stranger's text as a reader of the forge sees it. Blocks are read first, then the inside of each, then all raw HTML
 * in order, because a tag may hide what stands between it and another one. Nothing is rewritten: parts are cut out.
 */
import { Cuts } from './cuts.ts';
import { FlatText } from './flat-text.ts';
import { type HtmlPiece, HtmlStream } from './html-stream.ts';
import { type Reading, readInline } from './inline-reader.ts';
import { withoutInvisible, withoutInvisibleEntities } from './invisible.ts';
import { definitionAt } from './link-parts.ts';
import { type Footnote, type Leaf, readBlocks, type Segment } from './markdown-blocks.ts';
import type { Meter } from './meter.ts';
import { cutReferences, type Defined } from './references.ts';
import type { Removed } from './removed.ts';
import { tableIn } from './table-rows.ts';

/**
 * Steps allowed for each character. Honest texts take five; a text that takes more was built to, and its rest is not
 * shown.
 */
const MOST_STEPS = 60;
const FEWEST_STEPS = 100_000;

const LEAVES_PER_TURN = 100;

interface Part {
  flat: FlatText;
  /** after definitions */
  from: number;
  footnote: Footnote | null;
}

interface HtmlBlock {
  flat: FlatText;
  footnote: Footnote | null;
}

type InOrder = { pieces: HtmlPiece[]; footnote: Footnote | null } | HtmlBlock;

export function* seenMarkdown(
  source: string,
  meter: Meter,
): Generator<void, { text: string; removed: Removed }> {
  const budget = meter.steps + Math.max(FEWEST_STEPS, source.length * MOST_STEPS);
  const cuts = new Cuts();
  const frontMatter = frontMatterEnd(source);
  const blocks = yield* readBlocks(blankedBefore(source, frontMatter), meter);
  cutRemarks(source, frontMatter, cuts);
  if (blocks.end < source.length) cuts.add(blocks.end, source.length, 'rest');
  const isDoubtful = /```|~~~|</.test(source.slice(0, frontMatter));
  const reading: Reading = {
    cuts,
    meter,
    defined: new Set(),
    references: [],
    footnotes: new Set(blocks.footnotes.map(({ label }) => label)),
    usedFootnotes: new Set(),
    code: [],
  };
  const definitions: Defined[] = [];
  const parts: Part[][] = [];
  for (const [index, leaf] of blocks.leaves.entries()) {
    parts.push(partsOf(source, leaf, { reading, definitions }));
    if (index % LEAVES_PER_TURN === 0) yield;
  }
  const inOrder: InOrder[] = [];
  for (const [index, leaf] of blocks.leaves.entries()) {
    const { footnote } = leaf;
    if (meter.steps > budget) {
      cuts.add(leaf.segments[0]?.start ?? blocks.end, source.length, 'rest');
      break;
    }
    // guard: texts: code is shown
    if (leaf.kind === 'html' || (leaf.kind === 'code' && isDoubtful)) {
      inOrder.push({ flat: new FlatText(source, leaf.segments), footnote });
    } else if (leaf.kind === 'code') addCode(leaf, source, reading);
    for (const part of parts[index]!) {
      inOrder.push({ pieces: yield* readInline(part.flat, part.from, reading), footnote });
    }
  }
  const unused = unusedFootnotes(blocks.footnotes, reading.usedFootnotes);
  // guard: texts: hidden footnote
  for (const { start, end } of unused) cuts.add(start, end, 'footnote');
  yield* readHtml(inOrder, { unused, cuts, meter, length: source.length });
  cutReferences(reading.references, definitions, cuts);
  yield;
  return yield* cuts.apply(source, keeper(source, reading.code));
}

function* readHtml(
  inOrder: readonly InOrder[],
  {
    unused,
    cuts,
    meter,
    length,
  }: { unused: ReadonlySet<Footnote>; cuts: Cuts; meter: Meter; length: number },
): Generator<void, void> {
  const stream = new HtmlStream(cuts, meter, length);
  for (const entry of inOrder) {
    if (isIn(entry.footnote, unused)) continue;
    if ('flat' in entry) yield* stream.block(entry.flat);
    else for (const piece of entry.pieces) stream.piece(piece);
  }
  stream.finish();
}

/**
 * Paragraphs, headings and cells of a leaf, without its definitions, which are noted. Nothing for code and HTML.
 */
function partsOf(source: string, leaf: Leaf, notes: { reading: Reading; definitions: Defined[] }): Part[] {
  const { cuts } = notes.reading;
  if (leaf.kind === 'heading') cutHeadingAttributes(source, leaf, cuts);
  if (leaf.kind !== 'paragraph' && leaf.kind !== 'heading') return [];
  const { footnote } = leaf;
  const table = leaf.kind === 'paragraph' ? tableIn(source, leaf.segments) : null;
  const segments = table === null ? leaf.segments : leaf.segments.slice(0, table.before);
  const parts: Part[] = [];
  if (segments.length > 0) {
    const flat = new FlatText(source, segments);
    parts.push({ flat, from: leaf.isAtx ? 0 : noteDefinitions(flat, footnote, notes), footnote });
  }
  for (const { cells, excess } of table?.rows ?? []) {
    // guard: texts: hidden table cell
    if (excess !== null) cuts.add(excess.start, excess.end, 'table cell');
    for (const cell of cells) parts.push({ flat: new FlatText(source, [cell]), from: 0, footnote });
  }
  return parts;
}

function noteDefinitions(
  flat: FlatText,
  footnote: Footnote | null,
  { reading, definitions }: { reading: Reading; definitions: Defined[] },
): number {
  let from = 0;
  for (;;) {
    const found = definitionAt(flat.text, from, reading.meter);
    if (found === null) return from;
    reading.defined.add(found.label);
    definitions.push({
      ...found,
      start: flat.at(from),
      addressEnd: flat.at(found.addressEnd),
      end: Math.min(flat.at(found.end - 1) + 1, flat.at(flat.text.length)),
      isWholeLine: flat.text[found.end - 1] === '\n',
      footnote,
    });
    from = found.end;
  }
}

function cutHeadingAttributes(source: string, { segments }: Leaf, cuts: Cuts): void {
  const { start, end } = segments.at(-1)!;
  const line = source.slice(start, end);
  for (let at = line.indexOf('{'); at >= 0; at = line.indexOf('{', at + 1)) {
    if (!/^\{[ \t]*(?:[#.]|[a-z_:][\w:.-]*[ \t]*=)/i.test(line.slice(at, at + 200))) continue;
    if (!/\}[ \t]*#*[ \t]*$/.test(line.slice(-200))) return;
    // guard: texts: hidden heading attribute
    cuts.add(start + at, end, 'heading attribute');
    return;
  }
}

/**
 * The name of a language stays, because it tells how to read the code. The rest of an info string is not shown on the
 * forge.
 */
const LANGUAGES = new Set(
  (
    'asm awk bash bat c c# c++ clojure cmake console cpp cs csharp css csv dart diff docker dockerfile elixir erlang ' +
    'fish go golang gradle graphql groovy haskell hcl html http ini java javascript js json json5 jsonc jsx julia ' +
    'kotlin latex less liquid log lua make makefile markdown math md mermaid nginx nix objc ocaml patch perl php plain ' +
    'plaintext powershell proto ps1 py python r rb rs rst ruby rust sass scala scss sh shell sql svelte svg swift tcl ' +
    'terraform text toml ts tsx txt typescript vb vim vue xml yaml yml zig zsh'
  ).split(' '),
);

function addCode({ info, segments }: Leaf, source: string, { code, cuts }: Reading): void {
  if (info !== null) {
    const word = /^[ \t]*(\S*)[ \t]*/.exec(source.slice(info.start, Math.min(info.end, info.start + 200)))!;
    const isKnown = LANGUAGES.has(word[1]!.toLowerCase());
    const kept = isKnown ? info.start + word[0].trimEnd().length : info.start;
    // guard: texts: hidden info string
    if (source.slice(kept, info.end).trim() !== '') cuts.add(kept, info.end, 'info string');
  }
  const first = segments[0];
  if (first !== undefined) code.push({ start: first.start, end: segments.at(-1)!.end });
}

/**
 * Counted as goldmark does: the first footnote of a label is used by any reference to it, also by one in another
 * footnote.
 */
function unusedFootnotes(footnotes: readonly Footnote[], used: ReadonlySet<string>): Set<Footnote> {
  const first = new Set<string>();
  return new Set(
    footnotes.filter(({ label }) => {
      const isFirst = !first.has(label);
      first.add(label);
      return !isFirst || !used.has(label);
    }),
  );
}

function isIn(footnote: Footnote | null, unused: ReadonlySet<Footnote>): boolean {
  for (let around = footnote; around !== null; around = around.outer) if (unused.has(around)) return true;
  return false;
}

/** End of the front matter, which a forge may show as a table of names and values; 0: there is none. */
function frontMatterEnd(source: string): number {
  if (!/^---[ \t]*\r?\n/.test(source.slice(0, 200))) return 0;
  const end = /\n(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/g;
  end.lastIndex = 3;
  return end.exec(source) === null ? 0 : end.lastIndex;
}

function blankedBefore(source: string, end: number): string {
  return end === 0 ? source : source.slice(0, end).replace(/[^\r\n]/g, ' ') + source.slice(end);
}

function cutRemarks(source: string, end: number, cuts: Cuts): void {
  for (const found of source.slice(0, end).matchAll(/(?<=^|[ \t])#[^\r\n]*/gm)) {
    // guard: texts: hidden remark
    cuts.add(found.index, found.index + found[0].length, 'remark');
  }
}

/** Invisible characters are removed everywhere, entities for them only where entities are decoded. */
function keeper(source: string, code: readonly Segment[]): (part: string, start: number) => string {
  const ordered = code.toSorted((a, b) => a.start - b.start);
  let next = 0;
  return (part, start) => {
    const kept: string[] = [];
    let from = start;
    const end = start + part.length;
    while (next < ordered.length && ordered[next]!.end <= start) next += 1;
    for (; next < ordered.length && ordered[next]!.start < end; next += 1) {
      const { start: codeStart, end: codeEnd } = ordered[next]!;
      const begin = Math.max(from, codeStart);
      kept.push(
        withoutInvisibleEntities(source.slice(from, begin)),
        source.slice(begin, Math.min(codeEnd, end)),
      );
      from = Math.min(codeEnd, end);
      if (codeEnd > end) break;
    }
    kept.push(withoutInvisibleEntities(source.slice(from, end)));
    return withoutInvisible(kept.join(''));
  };
}
