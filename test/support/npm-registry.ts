/** A registry for npm that the test starts itself: real tarballs, real documents, and a record of what it was asked. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestPackage {
  name: string;
  version: string;
  /** by path in the package, besides package.json */
  files: Record<string, string>;
  dependencies?: Record<string, string>;
  bin?: Record<string, string>;
}

export interface NpmRegistry {
  url: string;
  requests: { method: string; url: string; headers: IncomingMessage['headers'] }[];
  /** answers first where it is set; false = goes on as usual */
  instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | null;
  /** the text of a package-lock.json for a project that depends on all packages */
  lockFile(project?: { name?: string; only?: readonly string[] }): string;
  /** of `dist.integrity` */
  integrity(name: string): string;
  close(): Promise<void>;
}

interface Made extends TestPackage {
  tarball: Buffer;
  integrity: string;
}

export async function startNpmRegistry(packages: readonly TestPackage[]): Promise<NpmRegistry> {
  const made = new Map(packages.map((one) => [one.name, { ...one, ...packed(one) } satisfies Made]));
  const requests: NpmRegistry['requests'] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    requests.push({ method, url, headers });
    if (registry.instead?.(request, response) === true) return;
    serve(made, { url: decodeURIComponent(url), own: registry.url }, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const registry: NpmRegistry = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    instead: null,
    lockFile: ({ name = 'project', only = [...made.keys()] } = {}) =>
      lockFileOf(
        name,
        only.map((one) => made.get(one)!),
        registry.url,
      ),
    integrity: (name) => made.get(name)!.integrity,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return registry;
}

function packed({ name, version, files, dependencies, bin }: TestPackage) {
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-npm-'));
  try {
    const at = join(folder, 'package');
    mkdirSync(at);
    writeFileSync(
      join(at, 'package.json'),
      JSON.stringify({ name, version, dependencies, bin, main: 'index.js' }),
    );
    for (const [path, text] of Object.entries(files)) {
      writeFileSync(join(at, path), text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
    }
    execFileSync('tar', ['-czf', join(folder, 'p.tgz'), '-C', folder, 'package']);
    const tarball = readFileSync(join(folder, 'p.tgz'));
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
    return { tarball, integrity };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function serve(made: ReadonlyMap<string, Made>, at: { url: string; own: string }, response: ServerResponse) {
  const [name = '', file] = at.url.slice(1).split('/-/');
  const one = made.get(name);
  if (one === undefined || (file !== undefined && file !== fileOf(one))) {
    response.writeHead(404, { 'content-type': 'application/json' });
    return void response.end('{"error":"Not found"}');
  }
  if (file !== undefined) {
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': one.tarball.length,
    });
    return void response.end(one.tarball);
  }
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(documentOf(one, at.own)));
}

/** With a version beside the one that exists, as a newer release would be. */
function documentOf(one: Made, own: string) {
  const { name, version, dependencies, bin, integrity } = one;
  const dist = { tarball: `${own}/${name}/-/${fileOf(one)}`, integrity };
  const later = '99.0.0';
  const of = (v: string) => ({ name, version: v, dependencies, bin, dist });
  return { name, 'dist-tags': { latest: later }, versions: { [version]: of(version), [later]: of(later) } };
}

function fileOf({ name, version }: TestPackage): string {
  return `${name.split('/').at(-1)}-${version}.tgz`;
}

function lockFileOf(project: string, packages: readonly Made[], own: string): string {
  const dependencies = Object.fromEntries(packages.map(({ name, version }) => [name, version]));
  const entries = packages.map((one) => [
    `node_modules/${one.name}`,
    {
      version: one.version,
      resolved: `${own}/${one.name}/-/${fileOf(one)}`,
      integrity: one.integrity,
      ...(one.bin === undefined ? {} : { bin: one.bin }),
    },
  ]);
  return JSON.stringify({
    name: project,
    version: '1.0.0',
    lockfileVersion: 3,
    requires: true,
    packages: { '': { name: project, version: '1.0.0', dependencies }, ...Object.fromEntries(entries) },
  });
}
