/**
 * Which of a text's words its author wrote now. Quoted lines, what a mail program adds to a reply, and signatures are
 * earlier words: they stay readable, but address nobody. Pure; linear in the text's length.
 */

/**
 * `> text`, also inside list items. A line without the mark counts as the author's own, although Markdown may show it
 * as part of the quote.
 */
const QUOTED = /^[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*>/;

/** RFC 3676. Without the space at its end the line would be the underline of a heading. */
const SIGNATURE = /^-- \r?\n?$/;

const WROTE =
  '(?:wrote|writes|said|schrieb|a écrit|escribió|escreveu|ha scritto|schreef|skrev|napisał(?:a|\\(a\\))?|написал(?:а)?)';

/** `@dev wrote in https://…:`, which a forge's quote button writes above a quote. */
const SOMEBODY_WROTE = new RegExp(
  String.raw`^[\s*_>[(]*@[\w.-]+(?:\]\([^()\s]*\))?[*_\])]*\s+${WROTE}(?:[ \t]+(?:in|on|at)[ \t]+\S+)?[ \t]*:?[*_\s]*$`,
  'iu',
);

/** `_Originally posted by @dev in https://…_`, which a forge writes below a quote. */
const POSTED_BY = /^[\s*_]*Originally posted by @\S+/i;

/**
 * `On Sat, 28 Nov 2026 at 10:00, Dev <dev@example.org> wrote:`, which a mail program writes above the quoted mail.
 */
const MAIL_INTRODUCTION = new RegExp(
  String.raw`^[\s*_]*(?:On|Am|Le|El|Em|Il|Op|Den|W dniu|Dnia)\b.*\d.*${WROTE}\b[^:\n]{0,100}:[*_\s]*$`,
  'iu',
);
const NAMES_TIME_OR_ADDRESS = /\d{1,2}[:.h]\d{2}|\b\d{4}\b|<[^<>\s]+@[^<>\s]+>/;

/** What programs that do not mark quoted lines write above the quoted mail. */
const MAIL_BEFORE =
  /^[\s>*_]*(?:-{2,}[ \t]*(?:Original Message|Forwarded message|Ursprüngliche Nachricht|Message d'origine|Mensaje original)[ \t]*-{2,}|Begin forwarded message:)[*_\s]*$/i;
const MAIL_FROM = /^[*_]*(?:From|Von|De|Da|Van)[*_]*:[*_]*[ \t]+\S/i;
const MAIL_FIELD = /^[*_]*(?:Sent|Date|To|Cc|Subject|Gesendet|Datum|An|Betreff|Envoyé|À|Objet)[*_]*:/i;

/** Longer lines are a person's own: no program writes so much above a quote. */
const LONGEST_INTRODUCTION = 300;

export interface Line {
  text: string;
  prose: boolean;
}

/** For each line, whether it is the author's own prose. */
export function ownLines(lines: readonly Line[]): boolean[] {
  const isQuoteNext = beforeQuotes(lines);
  // guard: a quote mentions nobody
  const own = lines.map(({ text, prose }) => prose && !QUOTED.test(text) && !POSTED_BY.test(text));
  for (const [index, { text, prose }] of lines.entries()) {
    if (!prose || text.length > LONGEST_INTRODUCTION) continue;
    const introduction = introductionAt(lines, index);
    const isRestQuoted =
      SIGNATURE.test(text) ||
      beginsMailBefore(text, lines[index + 1]) ||
      // Where the lines below have no mark, quoted mail and new words look alike, so all of them count as quoted.
      (introduction > 0 && !isQuoteNext[index + introduction - 1]!);
    // guard: a signature and the mail before mention nobody
    if (isRestQuoted) return own.fill(false, index);
    own.fill(false, index, index + introduction);
    if (isQuoteNext[index]! && SOMEBODY_WROTE.test(text)) own[index] = false;
  }
  return own;
}

/** How many lines a mail program's introduction takes here, one or two; 0: there is none. */
function introductionAt(lines: readonly Line[], index: number): number {
  for (const count of [1, 2]) {
    const text = lines
      .slice(index, index + count)
      .map((line) => line.text.trim())
      .join(' ');
    if (text.length > LONGEST_INTRODUCTION) return 0;
    if (MAIL_INTRODUCTION.test(text) && NAMES_TIME_OR_ADDRESS.test(text)) return count;
  }
  return 0;
}

function beginsMailBefore(text: string, next: Line | undefined): boolean {
  return MAIL_BEFORE.test(text) || (MAIL_FROM.test(text) && next !== undefined && MAIL_FIELD.test(next.text));
}

/** For each line, whether the next line that is not blank is quoted. */
function beforeQuotes(lines: readonly Line[]): boolean[] {
  const answers = new Array<boolean>(lines.length).fill(false);
  for (let index = lines.length - 2; index >= 0; index -= 1) {
    const { text } = lines[index + 1]!;
    answers[index] = text.trim() === '' ? answers[index + 1]! : QUOTED.test(text);
  }
  return answers;
}

/**
 * Removes `<blockquote>`, `<pre>` and `<code>` with their content; a tag without an end is an ordinary word.
 */
export function withoutHtmlQuotes(text: string): string {
  const open = new Map<string, number[]>();
  const quotes: { start: number; end: number }[] = [];
  for (const tag of text.matchAll(/<(\/?)(blockquote|pre|code)\b[^<>]*>/gi)) {
    const name = tag[2]!.toLowerCase();
    const starts = open.get(name) ?? [];
    open.set(name, starts);
    if (tag[1] === '') starts.push(tag.index);
    else if (starts.length > 0) quotes.push({ start: starts.pop()!, end: tag.index + tag[0].length });
  }
  let rest = '';
  let from = 0;
  for (const { start, end } of quotes.toSorted((a, b) => a.start - b.start)) {
    if (start >= from) rest += `${text.slice(from, start)} `;
    from = Math.max(from, end);
  }
  return rest + text.slice(from);
}
