/** Characters that show nothing, in the text itself and as entities. Pure. */

/**
 * Zero-width and bidi controls, fillers that render as nothing, the tag characters and variation selectors that carry
 * smuggled ASCII, and control codes other than tab, newline and carriage return. The emoji selector U+FE0F stays.
 */
const INVISIBLE =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: each code point is meant alone
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff9-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e007f}\u{e0100}-\u{e01ef}]/gu;

const ZWNJ = '\u200c';
const ZWJ = '\u200d';

/** Scripts whose spelling needs the joiners: Persian and Urdu, the scripts of India, and their neighbours. */
const JOINING_LETTER =
  /[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Nko}\p{Script=Mongolian}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}\p{Script=Thaana}]$/u;
/** What may stand before a joiner inside one picture made of several: family, professions, flags. */
const END_OF_PICTURE = /(?:\p{Extended_Pictographic}|\p{Emoji_Modifier})\ufe0f?$/u;
const PICTURE = /^\p{Extended_Pictographic}/u;

export function withoutInvisible(text: string): string {
  return text.replace(INVISIBLE, (c, at: number) =>
    isNeededJoiner(c, text.slice(Math.max(0, at - 3), at), text.slice(at + 1, at + 3)) ? c : '',
  );
}

function isNeededJoiner(c: string, before: string, after: string): boolean {
  if (c !== ZWJ && c !== ZWNJ) return false;
  if (JOINING_LETTER.test(before)) return true;
  return c === ZWJ && END_OF_PICTURE.test(before) && PICTURE.test(after);
}

/** Entities by name that decode to one of those. */
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

/** To be used where entities are read as such: not in code. */
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
