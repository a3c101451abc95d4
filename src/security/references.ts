/**
 * Links that name a definition elsewhere in the text, and what a reader sees of link and definition. Pure.
 */
import type { Cuts } from './cuts.ts';
import { seenAddress } from './link-parts.ts';
import type { Footnote } from './markdown-blocks.ts';

export interface Reference {
  label: string;
  /** what names the definition stands here, behind the link's text; empty for `[label]` */
  start: number;
  end: number;
  /** its own text is the label */
  isOwn: boolean;
}

export interface Defined {
  label: string;
  address: string;
  start: number;
  addressEnd: number;
  end: number;
  /** `end` is after a line break */
  isWholeLine: boolean;
  footnote: Footnote | null;
}

/**
 * A definition shows nothing. It stays, without its title, only where its label is also the visible text of a link. Any
 * other label would be hidden text, so the address is put into the link instead.
 */
export function cutReferences(
  references: readonly Reference[],
  defined: readonly Defined[],
  cuts: Cuts,
): void {
  const isCovered = cuts.covered();
  const seen = new Set<string>();
  for (const { label, start, isOwn } of references) if (isOwn && !isCovered(start - 1)) seen.add(label);
  const addresses = new Map<string, string>();
  for (const definition of defined) {
    const { label, address, start, addressEnd, end, isWholeLine } = definition;
    const isFirst = !addresses.has(label);
    if (isFirst) addresses.set(label, address);
    const isAddress = seenAddress(address) === address;
    if (!isFirst || !seen.has(label) || !isAddress || definition.footnote !== null) {
      cuts.add(start, end, 'definition');
      seen.delete(isFirst ? label : '');
    } else if (end > addressEnd + 1) cuts.add(addressEnd, end, 'title', isWholeLine ? '\n' : '');
  }
  for (const { label, start, end } of references) {
    // guard: texts: labels nobody sees
    if (!seen.has(label)) cuts.add(start, end, 'label', `(${seenAddress(addresses.get(label) ?? '')})`);
  }
}
