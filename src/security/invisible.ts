/** Characters that show nothing, as themselves and as entities. Pure. */

/**
 * Zero-width and bidi controls, fillers that render as nothing, the tag characters and variation selectors that carry
 * smuggled ASCII, and control codes other than tab, newline and carriage return. The emoji selector U+FE0F stays.
 */
const INVISIBLE =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: each code point is meant alone
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff9-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e007f}\u{e0100}-\u{e01ef}]/gu;

const ZWNJ = '\u200c';
const ZWJ = '\u200d';

/**
 * Scripts whose spelling needs the joiners: Persian and Urdu, the scripts of India and their neighbours, with vowel
 * signs.
 */
const JOINING_LETTERS = String.raw`[\p{scx=Arabic}\p{scx=Syriac}\p{scx=Nko}\p{scx=Mongolian}\p{scx=Devanagari}\p{scx=Bengali}\p{scx=Gurmukhi}\p{scx=Gujarati}\p{scx=Oriya}\p{scx=Tamil}\p{scx=Telugu}\p{scx=Kannada}\p{scx=Malayalam}\p{scx=Sinhala}\p{scx=Khmer}\p{scx=Myanmar}\p{scx=Tibetan}\p{scx=Thaana}\p{scx=Balinese}\p{scx=Javanese}]`;
const AFTER_LETTER = new RegExp(`${JOINING_LETTERS}$`, 'u');
/** A single letter, written in the form that it has within a word. */
const BEFORE_LETTER = new RegExp(`^${JOINING_LETTERS}`, 'u');
/** What may stand before a joiner in one emoji that is made of several: family, professions, flags. */
const END_OF_PICTURE = /(?:\p{Extended_Pictographic}|\p{Emoji_Modifier})\ufe0f?$/u;
const PICTURE = /^\p{Extended_Pictographic}/u;
/**
 * The flags of England, Scotland and Wales: a black flag and letters as tags. No other sequence of tags is an emoji.
 */
const FLAG =
  /\u{1f3f4}\u{e0067}\u{e0062}(?:\u{e0065}\u{e006e}\u{e0067}|\u{e0073}\u{e0063}\u{e0074}|\u{e0077}\u{e006c}\u{e0073})\u{e007f}/gu;

export function withoutInvisible(text: string): string {
  // Most texts have no flag, so one pass is enough for them.
  if (!text.includes('\u{1f3f4}')) return withoutAny(text);
  let shown = '';
  let from = 0;
  for (const flag of text.matchAll(FLAG)) {
    shown += withoutAny(text.slice(from, flag.index)) + flag[0];
    from = flag.index + flag[0].length;
  }
  return shown + withoutAny(text.slice(from));
}

function withoutAny(text: string): string {
  return text.replace(INVISIBLE, (c, at: number) =>
    isNeededJoiner(c, text.slice(Math.max(0, at - 3), at), text.slice(at + 1, at + 3)) ? c : '',
  );
}

function isNeededJoiner(c: string, before: string, after: string): boolean {
  if (c !== ZWJ && c !== ZWNJ) return false;
  // guard: texts: joiners of scripts and pictures
  if (AFTER_LETTER.test(before) || BEFORE_LETTER.test(after)) return true;
  return c === ZWJ && END_OF_PICTURE.test(before) && PICTURE.test(after);
}

/** Named entities that decode to one of those. */
const INVISIBLE_NAMES = new Map(
  (
    'shy lrm rlm NoBreak ZeroWidthSpace NegativeVeryThinSpace NegativeThinSpace NegativeMediumSpace ' +
    'NegativeThickSpace ApplyFunction af InvisibleTimes it InvisibleComma ic'
  )
    .split(' ')
    .map((name): [string, string] => [name, '\u00ad'])
    .concat([
      ['zwj', ZWJ],
      ['zwnj', ZWNJ],
    ]),
);

/** Use it only where entities are decoded, so not in code. */
export function withoutInvisibleEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#(\d{1,8})|#x([0-9a-f]{1,8})|([a-z]{2,24}));?/gi,
    (entity: string, decimal?: string, hex?: string, name?: string, at: number = 0) => {
      const c =
        name === undefined
          ? decoded(decimal, hex)
          : entity.endsWith(';')
            ? INVISIBLE_NAMES.get(name)
            : undefined;
      if (c === undefined) return entity;
      const end = at + entity.length;
      if (c !== '' && isNeededJoiner(c, text.slice(Math.max(0, at - 3), at), text.slice(end, end + 2)))
        return entity;
      return withoutInvisible(c) === '' ? '' : entity;
    },
  );
}

function decoded(decimal: string | undefined, hex: string | undefined): string {
  const code = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal);
  return code > 0x10ffff || code === 0 ? '' : String.fromCodePoint(code);
}
