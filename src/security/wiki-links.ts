/** `[[text|address]]` and `[[picture.png|alt=…]]`, which some forges read in every text. Pure. */
import { seenAddress } from './link-parts.ts';

const PICTURE = /\.(?:jpe?g|png|tiff?|webp|gif|bmp|ico|svg)$/i;
const ADDRESS = /^(?:https?|ftp|mailto):/i;

/** What a reader sees of the link, in the same brackets. */
export function seenWikiLink(content: string): string {
  const properties = new Map<string, string>();
  for (const part of content.split('|')) {
    const equals = part.indexOf('=');
    if (equals >= 0)
      properties.set(
        part.slice(0, equals),
        part.slice(equals + 1).replace(/^(["'\u201c])(.*)(["'\u201d])$/, '$2'),
      );
    else placeWord(properties, part);
  }
  const name = properties.get('name') ?? '';
  const link = properties.get('link') || name;
  if (PICTURE.test(link)) return `[[${seenAddress(link.trim())}]]`;
  return `[[${properties.get('title') || name || link}]]`;
}

/** The first part is the text, unless it is an address; then the second part is the text. */
function placeWord(properties: Map<string, string>, word: string): void {
  const hasName = (properties.get('name') ?? '') !== '';
  if (hasName) properties.set('link', word.trim());
  else if (ADDRESS.test(word)) {
    if ((properties.get('link') ?? '') !== '') properties.set('name', properties.get('link')!);
    properties.set('link', word.trim());
  } else properties.set('name', word);
}
