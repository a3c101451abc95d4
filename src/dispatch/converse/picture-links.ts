/** Links to the forge's own attachments in a text as people see it. Pure. */
import { LONGEST_TO_SHOW } from '../../text-limits.ts';

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const MARKDOWN = /!\[[^\]\n]{0,200}\]\(\s{0,10}<?([^\s()<>]{1,500})/g;
const TAG = /<img\s[^<>]{0,300}?\bsrc\s?=\s?["']?([^\s"'<>]{1,500})/gi;
const CODE = /^ {0,3}(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^ {0,3}\1|$(?![\s\S]))|`[^`\n]{1,1000}`/gm;

/** Ids in order, each once. Links to anywhere else are none: the service fetches from the forge's own address only. */
export function attachmentsIn(text: string, forgeUrl: string): string[] {
  if (!text.includes('attachments/')) return [];
  // A link in code is shown as code.
  const seen = text.slice(0, LONGEST_TO_SHOW).replace(CODE, ' ');
  const addresses = [...seen.matchAll(MARKDOWN), ...seen.matchAll(TAG)]
    .toSorted((a, b) => a.index - b.index)
    .map((found) => found[1]!);
  return [...new Set(addresses.flatMap((address) => idIn(address, forgeUrl) ?? []))];
}

/** `/attachments/<id>`, with the forge's address or a repository before it, as the forges write it. */
function idIn(address: string, forgeUrl: string): string | null {
  const base = forgeUrl.replace(/\/+$/, '');
  // guard: pictures: from the forge alone
  const path = address.startsWith(`${base}/`) ? address.slice(base.length) : address;
  return (
    new RegExp(`^/?(?:[\\w.-]+/[\\w.-]+/)?attachments/(${UUID})$`, 'i').exec(path)?.[1]?.toLowerCase() ?? null
  );
}
