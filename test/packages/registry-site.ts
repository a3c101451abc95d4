/** Registries of four kinds, static, in one process: what they have is given, and what was asked is kept. */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Site {
  url: string;
  /** by path */
  files: Map<string, Buffer>;
  /** paths that were asked for, in order */
  asked: string[];
  close(): Promise<void>;
}

export async function startSite(): Promise<Site> {
  const files = new Map<string, Buffer>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    asked.push(path);
    const body = files.get(path);
    const type = path.startsWith('/pypi/') ? 'text/html' : 'application/octet-stream';
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': type }).end(body);
  });
  await listening(server);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, files, asked, close };
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve());
  });
}

export const hash = (kind: string, content: Buffer | string, form: 'hex' | 'base64' = 'hex') =>
  createHash(kind).update(content).digest(form);

export interface NpmPackage {
  /** its package.json */
  manifest: { name: string; version: string };
  archive: Buffer;
}

export function addNpm({ url, files }: Site, { manifest, archive }: NpmPackage): void {
  const { name, version } = manifest;
  const path = `/npm/${name}/-/${name.split('/').at(-1)}-${version}.tgz`;
  const integrity = `sha512-${hash('sha512', archive, 'base64')}`;
  const dist = { tarball: `${url}${path}`, integrity, shasum: hash('sha1', archive) };
  const versions = { [version]: { ...manifest, dist } };
  files.set(
    `/npm/${name}`,
    Buffer.from(JSON.stringify({ name, 'dist-tags': { latest: version }, versions })),
  );
  files.set(path, archive);
}

/** The page is at one host, the file at another. */
export function addPypi(
  index: Site,
  { host, name, file, content }: { host: Site; name: string; file: string; content: Buffer },
): void {
  const link = `<a href="${host.url}/${file}#sha256=${hash('sha256', content)}">${file}</a>`;
  index.files.set(`/pypi/${name}/`, Buffer.from(`<!DOCTYPE html><html><body>${link}</body></html>`));
  host.files.set(`/${file}`, content);
}

export interface Crate {
  name: string;
  version: string;
  archive: Buffer;
}

/** Names of four letters and more. */
export function addCrate({ url, files }: Site, { name, version, archive }: Crate): void {
  const line = { name, vers: version, deps: [], cksum: hash('sha256', archive), features: {}, yanked: false };
  files.set('/crates/config.json', Buffer.from(JSON.stringify({ dl: `${url}/crates/dl` })));
  files.set(
    `/crates/${name.slice(0, 2)}/${name.slice(2, 4)}/${name}`,
    Buffer.from(`${JSON.stringify(line)}\n`),
  );
  files.set(`/crates/dl/${name}/${version}/download`, archive);
}

export interface GoModule {
  path: string;
  version: string;
  goMod: string;
  zip: Buffer;
}

export function addGo({ files }: Site, { path, version, goMod, zip }: GoModule): void {
  const at = `/go/${path}/@v`;
  files.set(`${at}/list`, Buffer.from(`${version}\n`));
  files.set(
    `${at}/${version}.info`,
    Buffer.from(JSON.stringify({ Version: version, Time: '2026-01-01T00:00:00Z' })),
  );
  files.set(`${at}/${version}.mod`, Buffer.from(goMod));
  files.set(`${at}/${version}.zip`, zip);
}
