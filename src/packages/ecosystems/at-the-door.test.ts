/** Each ecosystem through the real door: what is locked passes, other bytes and other names do not. */
import { request as httpRequest } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { lockedIn, openStage, registryAt } from '../../../test/packages/door-stage.ts';
import {
  addCrate,
  addGo,
  addNpm,
  addPypi,
  hash,
  type Site,
  startSite,
} from '../../../test/packages/registry-site.ts';
import { testFolder } from '../../../test/support/contained.ts';
import { openSqlite } from '../../../test/support/databases.ts';
import { zipOf } from '../../../test/support/zip.ts';

const ARCHIVE = Buffer.from('an archive');
const WHEEL = 'greet-1.0.0-py3-none-any.whl';
const GO = { path: 'x.example/greet', version: 'v1.0.0', goMod: 'module x.example/greet\n' };
const GO_FILE = 'package greet\n';
const GO_ZIP = zipOf({ 'x.example/greet@v1.0.0/greet.go': GO_FILE });

/** The way go.sum has it: a hash over lines of hash and name. */
const h1 = (name: string, content: string) =>
  `h1:${hash('sha256', `${hash('sha256', content)}  ${name}\n`, 'base64')}`;

const LOCKS = {
  'package-lock.json': JSON.stringify({
    lockfileVersion: 3,
    packages: {
      'node_modules/greet': { version: '1.0.0', integrity: `sha512-${hash('sha512', ARCHIVE, 'base64')}` },
    },
  }),
  'requirements.txt': `greet==1.0.0 --hash=sha256:${hash('sha256', ARCHIVE)}\n`,
  'Cargo.lock': `[[package]]\nname = "greet"\nversion = "1.0.0"\nsource = "registry+https://example.org"\nchecksum = "${hash('sha256', ARCHIVE)}"\n`,
  'go.sum': `${GO.path} ${GO.version} ${h1('x.example/greet@v1.0.0/greet.go', GO_FILE)}\n${GO.path} ${GO.version}/go.mod ${h1('go.mod', GO.goMod)}\n`,
  'gradle/verification-metadata.xml': `<verification-metadata><component group="x" name="greet" version="1.0"><artifact name="greet-1.0.jar"><sha256 value="${hash('sha256', ARCHIVE)}"/></artifact></component></verification-metadata>`,
};

interface Kind {
  name: string;
  file: string;
  document: string;
  /** of a package that no lock file names */
  other: string;
  /** the registry's copy becomes another one */
  falsify(site: Site, host: Site): void;
}

const OTHER = Buffer.from('another archive');
const KINDS: Kind[] = [
  {
    name: 'npm',
    file: '/npm/greet/-/greet-1.0.0.tgz',
    document: '/npm/greet',
    other: '/npm/other',
    falsify: (site) => addNpm(site, { manifest: { name: 'greet', version: '1.0.0' }, archive: OTHER }),
  },
  {
    name: 'pypi',
    file: `/pypi/files/greet/${WHEEL}`,
    document: '/pypi/simple/greet/',
    other: '/pypi/simple/other/',
    falsify: (site, host) => addPypi(site, { host, name: 'greet', file: WHEEL, content: OTHER }),
  },
  {
    name: 'crates',
    file: '/crates/dl/greet/1.0.0/download',
    document: '/crates/index/gr/ee/greet',
    other: '/crates/index/ot/he/other',
    falsify: (site) => addCrate(site, { name: 'greet', version: '1.0.0', archive: OTHER }),
  },
  {
    name: 'go',
    file: '/go/x.example/greet/@v/v1.0.0.zip',
    document: '/go/x.example/greet/@v/list',
    other: '/go/x.example/other/@v/list',
    falsify: (site) =>
      addGo(site, { ...GO, zip: zipOf({ 'x.example/greet@v1.0.0/greet.go': 'package other\n' }) }),
  },
  {
    name: 'go, its go.mod',
    file: '/go/x.example/greet/@v/v1.0.0.mod',
    document: '/go/x.example/greet/@v/v1.0.0.info',
    other: '/go/x.example/greet/@v/v1.0.1.info',
    falsify: (site) =>
      addGo(site, { ...GO, goMod: `${GO.goMod}\nrequire x.example/other v1.0.0\n`, zip: GO_ZIP }),
  },
  {
    name: 'maven',
    file: '/maven/x/greet/1.0/greet-1.0.jar',
    document: '/maven/x/greet/maven-metadata.xml',
    other: '/maven/x/other/maven-metadata.xml',
    falsify: ({ files }) => files.set('/maven/x/greet/1.0/greet-1.0.jar', OTHER),
  },
];

function fill(site: Site, host: Site): void {
  addNpm(site, { manifest: { name: 'greet', version: '1.0.0' }, archive: ARCHIVE });
  addPypi(site, { host, name: 'greet', file: WHEEL, content: ARCHIVE });
  addCrate(site, { name: 'greet', version: '1.0.0', archive: ARCHIVE });
  addGo(site, { ...GO, zip: GO_ZIP });
  site.files.set('/maven/x/greet/1.0/greet-1.0.jar', ARCHIVE);
  site.files.set('/maven/x/greet/maven-metadata.xml', Buffer.from('<metadata/>'));
}

async function open(): Promise<{
  site: Site;
  host: Site;
  ask(path: string): Promise<{ status: number; body: string }>;
}> {
  const [site, host] = await Promise.all([startSite(), startSite()]);
  onTestFinished(async () => void (await Promise.all([site.close(), host.close()])));
  fill(site, host);
  const at = (name: string) => registryAt(`${site.url}/${name}`, new URL(host.url).host);
  const registries = {
    npm: at('npm'),
    pypi: at('pypi'),
    crates: at('crates'),
    go: at('go'),
    maven: at('maven'),
  };
  const { packages } = openStage({ folder: testFolder(), database: await openSqlite(), registries });
  onTestFinished(() => packages.close());
  const locked = lockedIn(LOCKS);
  const run = {
    dispatchId: null,
    conversationId: null,
    agent: null,
    home: '/h',
    policy: () => 'lockfile' as const,
  };
  const { door } = await packages.open({ ...run, locked: async () => locked });
  return { site, host, ask: (path) => ask(door.socket, path) };
}

function ask(socketPath: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode!, body: Buffer.concat(chunks).toString() }),
      );
    });
    request.on('error', reject);
    request.end();
  });
}

test('what is locked passes, files and documents of every ecosystem', async () => {
  const { ask: get } = await open();
  for (const { name, file, document } of KINDS) {
    expect({ name, ...(await get(file)) }).toMatchObject({ name, status: 200 });
    expect({ name, ...(await get(document)) }).toMatchObject({ name, status: 200 });
  }
});

test.each(KINDS)('$name: a file whose bytes differ is refused', async ({ file, falsify }) => {
  const { site, host, ask: get } = await open();
  falsify(site, host);
  const { status, body } = await get(file);
  expect(status).toBe(403);
  expect(body).toContain('has another hash than the lock file of the base branch says');
});

test('a document of a package, or of a version, that is not locked is refused, and the registry is not asked', async () => {
  const { site, ask: get } = await open();
  for (const { name, other } of KINDS) {
    const { status, body } = await get(other);
    expect({ name, status }).toEqual({ name, status: 403 });
    expect(body).toContain('it is in no lock file of the base branch');
  }
  expect(site.asked).toEqual([]);
});
