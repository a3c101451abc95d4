/** A project's page of the simple index, as PyPI (JSON, PEP 691) or any other index (HTML, PEP 503) writes it. */
import type { Metadata } from '../ecosystem.ts';
import { digestOfHex, present } from '../lockfiles/digest.ts';
import { readJson } from '../lockfiles/json.ts';
import { fieldsOf, isFields, listOf, textOf } from '../lockfiles/shape.ts';
import { lockText } from '../lockfiles/unreadable.ts';
import { type Markup, readMarkup } from '../markup.ts';

export interface IndexFile {
  name: string;
  url: string;
  digests: readonly string[];
  requiresPython: string | null;
  /** null = not yanked; else the reason, which may be '' */
  yanked: string | null;
  /** digests of `<file>.metadata` (PEP 658); null = there is none */
  metadata: readonly string[] | null;
}

/** `address`: where the page came from, for links that are relative to it. Throws on what is no such page. */
export function filesOf(page: Metadata, address: string): IndexFile[] {
  const text = page.body.toString('utf8');
  const files = /\bjson\b/.test(page.contentType) ? filesOfJson(text, address) : filesOfHtml(text, address);
  return files.filter((file) => URL.canParse(file.url, address)).map((file) => resolved(file, address));
}

function resolved(file: IndexFile, address: string): IndexFile {
  const url = new URL(file.url, address);
  url.hash = '';
  return { ...file, url: url.href };
}

function filesOfJson(text: string, address: string): IndexFile[] {
  const { files } = readJson(lockText(address, text));
  return listOf(files)
    .filter(isFields)
    .flatMap((entry) => {
      const [name, url] = [textOf(entry.filename), textOf(entry.url)];
      if (name === null || url === null) return [];
      const metadata = entry['core-metadata'] ?? entry['dist-info-metadata'] ?? false;
      return [
        {
          name,
          url,
          digests: digestsOf(entry.hashes),
          requiresPython: textOf(entry['requires-python']),
          yanked: typeof entry.yanked === 'string' ? entry.yanked : entry.yanked === true ? '' : null,
          metadata: metadata === false ? null : digestsOf(metadata),
        },
      ];
    });
}

function digestsOf(hashes: unknown): string[] {
  return present(Object.entries(fieldsOf(hashes)).map(([kind, hex]) => digestOfHex(kind, String(hex))));
}

function filesOfHtml(text: string, address: string): IndexFile[] {
  const files: IndexFile[] = [];
  let base = address;
  const open: Markup['open'] = (tag, attributes) => {
    if (tag === 'base' && URL.canParse(attributes.href ?? '', address)) {
      base = new URL(attributes.href!, address).href;
    }
    const file = tag === 'a' ? fileOfLink(attributes, base) : null;
    if (file !== null) files.push(file);
  };
  readMarkup(text, { xml: false, tags: { open } });
  return files;
}

function fileOfLink(attributes: Readonly<Record<string, string>>, base: string): IndexFile | null {
  const { href = '' } = attributes;
  if (!URL.canParse(href, base)) return null;
  const url = new URL(href, base);
  // The name of a file is the last part of its address; the link's text repeats it.
  const name = decoded(url.pathname.slice(url.pathname.lastIndexOf('/') + 1));
  const metadata = attributes['data-core-metadata'] ?? attributes['data-dist-info-metadata'] ?? null;
  return {
    name,
    url: url.href,
    digests: digestsOfPair(url.hash.slice(1)),
    requiresPython: attributes['data-requires-python'] ?? null,
    yanked: attributes['data-yanked'] ?? null,
    metadata: metadata === null ? null : digestsOfPair(metadata),
  };
}

/** `sha256=<hex>`; a metadata attribute may also be `true` */
function digestsOfPair(pair: string): string[] {
  const [kind = '', hex = ''] = pair.split('=');
  return present([digestOfHex(kind, hex)]);
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** As HTML, which every tool reads; links lead to `files/<name>/<file>` at the door. */
export function pageOf(o: { name: string; base: string; files: readonly IndexFile[] }): Metadata {
  const links = o.files.map((file) => {
    const attributes = [
      ['href', `${o.base}/files/${o.name}/${file.name}${fragment(file.digests)}`],
      ['data-requires-python', file.requiresPython],
      ['data-yanked', file.yanked],
      ['data-core-metadata', file.metadata === null ? null : (pairOf(file.metadata) ?? 'true')],
    ] as const;
    const written = attributes.filter(([, value]) => value !== null);
    return `<a ${written.map(([key, value]) => `${key}="${escaped(value!)}"`).join(' ')}>${escaped(file.name)}</a><br>`;
  });
  const head = '<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.0">';
  const body = `${head}<title>${o.name}</title></head><body>\n${links.join('\n')}\n</body></html>\n`;
  return { body: Buffer.from(body), contentType: 'text/html; charset=utf-8' };
}

function fragment(digests: readonly string[]): string {
  const pair = pairOf(digests);
  return pair === null ? '' : `#${pair}`;
}

function pairOf(digests: readonly string[]): string | null {
  const digest = digests.find((one) => one.startsWith('sha256-'));
  return digest === undefined ? null : `sha256=${Buffer.from(digest.slice(7), 'base64').toString('hex')}`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
