/**
 * A sparse index of crates. `registry` is its address, as in `sparse+<address>/`; its config.json says where the archives
 * are. At the door: `index/…` and `dl/<name>/<version>/download`.
 */

import type { AskedArtefact, Ecosystem, Located, Locating, Metadata, Rewriting } from '../ecosystem.ts';
import { digestOfHex, present } from '../lockfiles/digest.ts';
import { fieldsOf, textOf } from '../lockfiles/shape.ts';
import { crateName } from '../names.ts';
import { readOf } from './bad-document.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]{1,80})?(?:\+[0-9A-Za-z.-]{1,80})?$/;
const CONFIG = 'config.json';

export const crates: Ecosystem = {
  name: 'crates',
  contentType: 'application/gzip',
  parse: (path) => {
    if (path === `index/${CONFIG}`) return { kind: 'metadata', name: null, part: CONFIG };
    const [kind, ...rest] = path.split('/');
    if (kind === 'dl') return archive(rest);
    const name = rest.at(-1) ?? '';
    // guard: packages: a file of that project, crates
    if (kind !== 'index' || !NAME.test(name) || rest.join('/') !== indexPath(name)) return null;
    return { kind: 'metadata', name: crateName(name), part: '' };
  },
  own: (asked, { base }) =>
    asked.part === CONFIG ? json({ dl: `${base}/dl/{crate}/{version}/download`, api: base }) : null,
  metadataAt: (asked, registry) => ({
    url: `${registry}/${asked.name === null ? CONFIG : indexPath(asked.name)}`,
    accept: '*/*',
  }),
  rewrite,
  locate,
  refusal: (message) => ({ body: `${message}\n`, contentType: 'text/plain; charset=utf-8' }),
  environment: ({ base }) => ({
    // With it Cargo would ask by HTTP/1.1 for an upgrade to HTTP/2, which the door does not speak.
    variables: { CARGO_HTTP_MULTIPLEXING: 'false', CARGO_NET_RETRY: '1' },
    // Cargo takes replaced sources from files only, and looks for them in every folder above the checkout.
    files: {
      '/work/.cargo/config.toml': [
        '[source.crates-io]',
        'replace-with = "package-door"',
        '[source.package-door]',
        `registry = "sparse+${base}/index/"`,
        '',
      ].join('\n'),
    },
  }),
};

function archive([name = '', version = '', last, ...more]: string[]) {
  if (!NAME.test(name) || !VERSION.test(version) || last !== 'download' || more.length > 0) return null;
  return { kind: 'artefact', name: crateName(name), version, file: `${name}-${version}.crate` } as const;
}

/** Where the index has a crate: `1/a`, `2/ab`, `3/a/abc`, `ab/cd/abcd`. */
function indexPath(name: string): string {
  const small = crateName(name);
  if (small.length <= 2) return `${small.length}/${small}`;
  if (small.length === 3) return `3/${small[0]}/${small}`;
  return `${small.slice(0, 2)}/${small.slice(2, 4)}/${small}`;
}

interface Release {
  name: string;
  version: string;
  digests: string[];
  line: string;
}

function releasesOf(document: Metadata, name: string | null): Release[] {
  return readOf('crates', name, () => releasesIn(document));
}

function releasesIn(document: Metadata): Release[] {
  const lines = document.body
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.flatMap((line) => {
    const { name, vers, cksum } = fieldsOf(JSON.parse(line));
    const [called, version] = [textOf(name), textOf(vers)];
    if (called === null || version === null) return [];
    return [{ name: called, version, digests: present([digestOfHex('sha256', String(cksum))]), line }];
  });
}

function rewrite(document: Metadata, { asked, locked }: Rewriting): Metadata {
  const releases = releasesOf(document, asked.name);
  const versions = locked === null ? null : new Set(locked.map(({ version }) => version));
  const kept = releases.filter(({ version }) => versions === null || versions.has(version));
  return { body: Buffer.from(kept.map(({ line }) => `${line}\n`).join('')), contentType: 'text/plain' };
}

/** The name is written as the index writes it: archives may be kept by it. */
async function locate(asked: AskedArtefact, at: Locating): Promise<Located | null> {
  const document = await at.metadata({ kind: 'metadata', name: asked.name, part: '' });
  const releases = releasesOf(document, asked.name);
  const release = releases.find(({ version }) => version === asked.version);
  if (release === undefined || crateName(release.name) !== asked.name || !NAME.test(release.name))
    return null;
  const config = await at.metadata({ kind: 'metadata', name: null, part: CONFIG });
  const dl = readOf('crates', null, () => textOf(fieldsOf(JSON.parse(config.body.toString('utf8'))).dl));
  return dl === null ? null : { url: archiveAt(dl, release), digests: release.digests };
}

function archiveAt(dl: string, { name, version, digests }: Release): string {
  const prefix = indexPath(name).slice(0, -(name.length + 1));
  const [digest = ''] = digests;
  const values: Record<string, string> = {
    crate: name,
    version,
    prefix: prefixAsWritten(name, prefix),
    lowerprefix: prefix,
    'sha256-checksum': Buffer.from(digest.slice('sha256-'.length), 'base64').toString('hex'),
  };
  const filled = dl.replace(/\{([a-z0-9-]+)\}/g, (all, key: string) => values[key] ?? all);
  return filled === dl ? `${dl}/${name}/${version}/download` : filled;
}

/** `{prefix}` keeps the case of the name. */
function prefixAsWritten(name: string, lower: string): string {
  if (name.length <= 2) return lower;
  return name.length === 3 ? `3/${name[0]}` : `${name.slice(0, 2)}/${name.slice(2, 4)}`;
}

function json(value: unknown): Metadata {
  return { body: Buffer.from(JSON.stringify(value)), contentType: 'application/json' };
}
