/** What was taken out of texts, to tell whoever reads them: kind and number, never the content. Pure. */

export type Kind =
  | 'comment'
  | 'markup'
  | 'element'
  | 'title'
  | 'image text'
  | 'footnote'
  | 'definition'
  | 'label'
  | 'info string'
  | 'wiki link'
  | 'heading attribute'
  | 'table cell'
  | 'remark'
  | 'invisible character'
  | 'rest';

const NAMES: Readonly<Record<Kind, [one: string, several: string]>> = {
  comment: ['HTML comment', 'HTML comments'],
  markup: ['HTML tag or attribute', 'HTML tags or attributes'],
  element: ['HTML element that shows nothing', 'HTML elements that show nothing'],
  title: ['title of a link', 'titles of links'],
  'image text': ['text behind an image', 'texts behind images'],
  footnote: ['footnote nothing refers to', 'footnotes nothing refers to'],
  definition: ['link definition', 'link definitions'],
  label: ['label or address of a link', 'labels or addresses of links'],
  'info string': ['info string of a code block', 'info strings of code blocks'],
  'wiki link': ['target or label of a wiki link', 'targets or labels of wiki links'],
  'heading attribute': ['attribute of a heading', 'attributes of headings'],
  'table cell': ['table cell beyond the last column', 'table cells beyond the last column'],
  remark: ['remark in front matter', 'remarks in front matter'],
  'invisible character': ['invisible character', 'invisible characters'],
  rest: ['end of a text too entangled to read', 'ends of texts too entangled to read'],
};

export interface Removed {
  counts: Map<Kind, number>;
  characters: number;
}

export function nothingRemoved(): Removed {
  return { counts: new Map(), characters: 0 };
}

export function addRemoved(to: Removed, { counts, characters }: Removed): void {
  for (const [kind, count] of counts) to.counts.set(kind, (to.counts.get(kind) ?? 0) + count);
  to.characters += characters;
}

/** null: nothing was. */
export function describeRemoved(
  { counts, characters }: Removed,
  of: 'these texts' | 'this text' = 'these texts',
): string | null {
  if (counts.size === 0) return null;
  const list = [...counts].map(([kind, count]) => `${count} ${NAMES[kind][count === 1 ? 0 : 1]}`);
  return `Left out of ${of}, because the forge does not show it to a person either: ${list.join(', ')} (${characters} characters).`;
}
