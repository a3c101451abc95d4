import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { zipOf } from '../../../test/support/zip.ts';
import type { Asked, AskedArtefact, AskedMetadata, Ecosystem, Metadata } from '../ecosystem.ts';
import type { Locked } from '../locked.ts';
import { judgeAsked, LockedPackages } from '../policy.ts';
import { PackageRefused } from '../refused.ts';
import { crates } from './crates.ts';
import { go } from './go.ts';
import { goHashesOf } from './go-hash.ts';
import { maven } from './maven.ts';
import { pypi } from './pypi.ts';

const REGISTRY = 'https://registry.example.org/root';
const HEX = 'ab'.repeat(32);
const DIGEST = `sha256-${Buffer.from(HEX, 'hex').toString('base64')}`;

const file = (name: string, version: string, of: string): AskedArtefact => ({
  kind: 'artefact',
  name,
  version,
  file: of,
});
const about = (name: string | null, part = ''): AskedMetadata => ({ kind: 'metadata', name, part });

describe('paths', () => {
  test.each<[Ecosystem, string, Asked]>([
    [pypi, 'simple/Zope.Interface/', about('zope-interface')],
    [
      pypi,
      'files/zope-interface/zope.interface-6.0.tar.gz',
      file('zope-interface', '6', 'zope.interface-6.0.tar.gz'),
    ],
    [pypi, 'files/a-b/a_b-1.0+cu_1-py3-none-any.whl', file('a-b', '1+cu.1', 'a_b-1.0+cu_1-py3-none-any.whl')],
    [crates, 'index/config.json', about(null, 'config.json')],
    [crates, 'index/3/s/syn', about('syn')],
    [crates, 'index/in/fl/inflector', about('inflector')],
    [crates, 'dl/Inflector/0.11.4/download', file('inflector', '0.11.4', 'Inflector-0.11.4.crate')],
    [go, 'github.com/!azure/a.b/v2/@v/list', about('github.com/Azure/a.b/v2', '@v/list')],
    [go, 'x.example/m/@latest', about('x.example/m', '@latest')],
    [go, 'x.example/m/@v/v1.0.0-!r!c.info', { ...about('x.example/m', '@v/info'), version: 'v1.0.0-RC' }],
    [go, 'x.example/m/@v/v2.0.0+incompatible.zip', file('x.example/m', 'v2.0.0+incompatible', 'module.zip')],
    [go, 'x.example/m/@v/v1.0.0.mod', file('x.example/m', 'v1.0.0', 'go.mod')],
    [maven, 'org/ex/lib/1.0/lib-1.0.jar', file('org.ex:lib', '1.0', 'lib-1.0.jar')],
    [maven, 'org/ex/lib/1.0/lib-1.0-sources.jar', file('org.ex:lib', '1.0', 'lib-1.0-sources.jar')],
    [
      maven,
      'org/ex/lib/1.0/lib-1.0.pom.sha1',
      { ...about('org.ex:lib', 'lib-1.0.pom.sha1'), version: '1.0' },
    ],
    [maven, 'org/ex/lib/maven-metadata.xml', about('org.ex:lib', 'maven-metadata.xml')],
    [
      maven,
      'a/b/2-SNAPSHOT/maven-metadata.xml',
      { ...about('a:b', 'maven-metadata.xml'), version: '2-SNAPSHOT' },
    ],
    [
      maven,
      'a/b/2-SNAPSHOT/b-2-20260101.010101-1.jar',
      file('a:b', '2-SNAPSHOT', 'b-2-20260101.010101-1.jar'),
    ],
  ])('$0.name $1', (ecosystem, path, asked) => {
    expect(ecosystem.parse(path)).toEqual(asked);
  });

  test.each<[Ecosystem, string]>([
    [pypi, 'simple/'],
    [pypi, 'simple/a/b/'],
    [pypi, 'simple/..%2fx/'],
    [pypi, 'files/six/six-1.0.exe'],
    [crates, 'index/ab/cd/inflector'],
    [crates, 'index/se/rd/Serde/x'],
    [crates, 'dl/serde/latest/download'],
    [go, 'X.example/m/@v/list'],
    [go, 'x.example/../m/@v/list'],
    [go, 'x.example/m/@v/v1/0.zip'],
    [go, 'x.example/m/@v/v1.0.0.exe'],
    [go, 'sumdb/sum.example/lookup/x@v1'],
    [maven, 'maven-metadata.xml'],
    [maven, 'org/../lib/1.0/lib-1.0.jar'],
    [maven, 'org.ex/lib/1.0/lib-1.0.jar'],
  ])('$0.name refuses $1', (ecosystem, path) => {
    expect(ecosystem.parse(path)).toBeNull();
  });

  test.each<[Ecosystem, string]>([
    [pypi, 'files/six/seven-1.0.tar.gz'],
    [pypi, 'files/six/six_more-1.0.tar.gz'],
    [crates, 'index/se/rd/tokio'],
    [maven, 'org/ex/lib/1.0/other-1.0.jar'],
    [maven, 'org/ex/lib/1.0/lib-1.01.jar'],
  ])('$0.name: a file of another project is refused: $1', (ecosystem, path) => {
    expect(ecosystem.parse(path)).toBeNull();
  });

  test.each([pypi, crates, go, maven])(
    '$name: whatever is read of a path, the address is of the registry',
    async (ecosystem) => {
      const piece = fc.constantFrom(
        'simple',
        'files',
        'index',
        'dl',
        'a',
        'ab',
        'a-1.0',
        '1.0.0',
        'download',
        '@v',
        'v1.0.0.zip',
        'v1.0.0.info',
        'a-1.0.tar.gz',
        '..',
        '.',
        '!a',
        '%2e%2e',
        '?',
        '#',
        '@',
        ':',
        'maven-metadata.xml',
        'a-1.0.0.jar',
      );
      const path = fc.oneof(
        fc.array(piece, { maxLength: 6 }).map((parts) => parts.join('/')),
        fc.webPath(),
        fc.string(),
      );
      await fc.assert(
        fc.asyncProperty(path, async (text) => {
          const asked = ecosystem.parse(text);
          if (asked === null) return;
          const none = () => Promise.reject(new PackageRefused(404, 'not-found', 'no'));
          const url =
            asked.kind === 'metadata'
              ? ecosystem.metadataAt(asked, REGISTRY).url
              : (await ecosystem.locate(asked, { registry: REGISTRY, metadata: none }).catch(() => null))
                  ?.url;
          if (url !== undefined) expect(new URL(url).href).toBe(url);
          expect(url ?? REGISTRY).toMatch(/^https:\/\/registry\.example\.org\/root[^?#%]*$/);
        }),
        { numRuns: 300 },
      );
    },
  );
});

const locked = (name: string, version: string | null, digests = [DIGEST]): Locked[] => [
  { ecosystem: 'pypi', name, version, digests },
];

describe('PyPI', () => {
  const JSON_PAGE: Metadata = {
    contentType: 'application/vnd.pypi.simple.v1+json',
    body: Buffer.from(
      JSON.stringify({
        files: [
          {
            filename: 'six-1.0.tar.gz',
            url: 'https://files.example.org/x/six-1.0.tar.gz',
            hashes: { sha256: HEX },
            'requires-python': '>=3<4',
            yanked: false,
          },
          {
            filename: 'six-2.0-py3-none-any.whl',
            url: '../../f/six-2.0-py3-none-any.whl',
            hashes: { sha256: 'cd'.repeat(32) },
            'core-metadata': { sha256: HEX },
            yanked: 'broken "x"',
          },
          { filename: 'other-1.0.tar.gz', url: '/o.tar.gz', hashes: {} },
        ],
      }),
    ),
  };
  const HTML_PAGE: Metadata = {
    contentType: 'text/html',
    body: Buffer.from(
      `<html><body><a href="https://files.example.org/x/six-1.0.tar.gz#sha256=${HEX}" data-requires-python="&gt;=3&lt;4">six-1.0.tar.gz</a>
       <a href="../../f/six-2.0-py3-none-any.whl#sha256=${'cd'.repeat(32)}" data-core-metadata="sha256=${HEX}" data-yanked="broken &quot;x&quot;">x</a>
       <a href="/o.tar.gz">other</a></body></html>`,
    ),
  };
  const to = { asked: about('six'), base: 'http://door/pypi', registry: REGISTRY, locked: null };

  test.each([
    ['JSON', JSON_PAGE],
    ['HTML', HTML_PAGE],
  ])('a page in %s: files lead to the door, files of others are left out', async (_form, page) => {
    const text = pypi.rewrite(page, to).body.toString();
    expect(text).toContain(
      `href="http://door/pypi/files/six/six-1.0.tar.gz#sha256=${HEX}" data-requires-python="&#62;=3&#60;4"`,
    );
    expect(text).toContain(`data-yanked="broken &#34;x&#34;" data-core-metadata="sha256=${HEX}"`);
    expect(text).not.toMatch(/other|example\.org/);
    const at = { registry: REGISTRY, metadata: async () => page };
    expect(await pypi.locate(file('six', '1', 'six-1.0.tar.gz'), at)).toEqual({
      url: 'https://files.example.org/x/six-1.0.tar.gz',
      digests: [DIGEST],
    });
    const wheel = 'https://registry.example.org/f/six-2.0-py3-none-any.whl';
    expect(await pypi.locate(file('six', '2', 'six-2.0-py3-none-any.whl.metadata'), at)).toEqual({
      url: `${wheel}.metadata`,
      digests: [DIGEST],
    });
    expect(await pypi.locate(file('six', '3', 'six-3.0.tar.gz'), at)).toBeNull();
  });

  test('with a lock file only its files are shown, and no metadata files', () => {
    const text = pypi.rewrite(JSON_PAGE, { ...to, locked: locked('six', '1') }).body.toString();
    expect(text).toContain('six-1.0.tar.gz');
    expect(text).not.toMatch(/six-2\.0|core-metadata/);
  });

  test('a page that is none is the registry’s fault', () => {
    const page = { contentType: 'application/json', body: Buffer.from('<html>') };
    expect(() => pypi.rewrite(page, to)).toThrow('is no document about six');
  });
});

describe('crates', () => {
  const line = (vers: string, cksum = HEX) => JSON.stringify({ name: 'Inflector', vers, deps: [], cksum });
  const index: Metadata = {
    contentType: 'text/plain',
    body: Buffer.from(`${line('0.11.3')}\n${line('0.11.4')}\n`),
  };
  const at = (dl: string) => ({
    registry: REGISTRY,
    metadata: async ({ name }: AskedMetadata) =>
      name === null ? { contentType: 'x', body: Buffer.from(JSON.stringify({ dl })) } : index,
  });

  test('archives are where config.json of the registry says', async () => {
    const asked = file('inflector', '0.11.4', 'Inflector-0.11.4.crate');
    const url = async (dl: string) => (await crates.locate(asked, at(dl)))?.url;
    expect(await url('https://s.example.org/crates')).toBe(
      'https://s.example.org/crates/Inflector/0.11.4/download',
    );
    expect(await url('https://s.example.org/{prefix}/{lowerprefix}/{crate}-{version}')).toBe(
      'https://s.example.org/In/fl/in/fl/Inflector-0.11.4',
    );
    expect(await url('https://s.example.org/{sha256-checksum}')).toBe(`https://s.example.org/${HEX}`);
    expect((await crates.locate(asked, at('https://s.example.org')))?.digests).toEqual([DIGEST]);
    expect(await crates.locate({ ...asked, version: '9.0.0' }, at('https://s.example.org'))).toBeNull();
  });

  test('the index has the locked versions alone, and config.json leads to the door', () => {
    const to = { asked: about('inflector'), base: 'http://door/crates', registry: REGISTRY };
    const shown = crates.rewrite(index, {
      ...to,
      locked: [{ ecosystem: 'crates', name: 'inflector', version: '0.11.4', digests: [] }],
    });
    expect(shown.body.toString()).toBe(`${line('0.11.4')}\n`);
    expect(crates.rewrite(index, { ...to, locked: null }).body).toEqual(index.body);
    expect(JSON.parse(crates.own!(about(null, 'config.json'), to)!.body.toString()).dl).toBe(
      'http://door/crates/dl/{crate}/{version}/download',
    );
    expect(() =>
      crates.rewrite({ contentType: '', body: Buffer.from('<html>') }, { ...to, locked: null }),
    ).toThrow('no document about inflector');
  });
});

describe('Go', () => {
  function written(content: Buffer | string): string {
    const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-go-hash-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'file'), content);
    return join(folder, 'file');
  }
  const hex = (text: string) => createHash('sha256').update(text).digest('hex');
  const sum = (list: string) => [`go-h1:${createHash('sha256').update(list).digest('base64')}`];

  test('the hash of a zip is over its sorted files, that of a go.mod over one', async () => {
    const zip = zipOf({
      'm@v1.0.0/z.go': 'package m\n',
      'm@v1.0.0/Ä.go': '',
      'm@v1.0.0/a.go': 'x'.repeat(100_000),
    });
    const list = [
      `${hex('x'.repeat(100_000))}  m@v1.0.0/a.go\n`,
      `${hex('package m\n')}  m@v1.0.0/z.go\n`,
      `${hex('')}  m@v1.0.0/Ä.go\n`,
    ];
    expect(await goHashesOf(written(zip))).toEqual(sum(list.join('')));
    expect(await goHashesOf(written('module m\n'))).toEqual(sum(`${hex('module m\n')}  go.mod\n`));
  });

  test('a zip that could be read in two ways has no hash', async () => {
    expect(
      await goHashesOf(
        written(
          zipOf([
            ['a', '1'],
            ['a', '2'],
          ]),
        ),
      ),
    ).toEqual([]);
    expect(await goHashesOf(written(zipOf({ 'a\nb': '1' })))).toEqual([]);
    const whole = zipOf({ a: 'text '.repeat(1000) });
    expect(await goHashesOf(written(whole.subarray(0, 40)))).toEqual([]);
  });

  test('a list has the locked versions alone', () => {
    const document = { contentType: 'text/plain', body: Buffer.from('v1.0.0\nv1.1.0\n') };
    const to = { asked: about('m.example/m', '@v/list'), base: '', registry: REGISTRY };
    const shown = go.rewrite(document, {
      ...to,
      locked: [{ ecosystem: 'go', name: 'm.example/m', version: 'v1.0.0', digests: [] }],
    });
    expect(shown.body.toString()).toBe('v1.0.0\n');
  });

  test('a document about a version that is not locked is not asked for', () => {
    const known = new LockedPackages(
      [{ ecosystem: 'go', name: 'm.example/m', version: 'v1.0.0', digests: ['go-h1:x'] }],
      ['go.sum'],
    );
    const judge = (path: string) =>
      judgeAsked({ ecosystem: 'go', asked: go.parse(path)!, policy: 'lockfile', locked: known });
    expect(judge('m.example/m/@v/v1.0.0.info')).toHaveLength(1);
    expect(judge('m.example/m/@v/list')).toHaveLength(1);
    expect(() => judge('m.example/m/@v/v1.0.0-carried-out.info')).toThrow(PackageRefused);
    expect(() => judge('other.example/m/@v/list')).toThrow(
      'it is in no lock file of the base branch (go.sum)',
    );
  });
});
