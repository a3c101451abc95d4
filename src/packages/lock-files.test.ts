import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLockFile, readLockFile } from './lock-files.ts';
import type { Locked } from './locked.ts';
import { LockFileUnreadable } from './lockfiles/unreadable.ts';

/** Written by the real tools; addresses were changed to one that does not exist. */
const FIXTURES = new URL('../../test/fixtures/lock-files/', import.meta.url).pathname;

function fixture(path: string): Locked[] {
  return readLockFile(path, readFileSync(join(FIXTURES, path), 'utf8'));
}

/** Short, for comparing: `name version number-of-digests first-digest`. */
function lines(locked: readonly Locked[]): string[] {
  return locked
    .map(
      ({ name, version, digests }) =>
        `${name} ${version} ${digests.length} ${digests[0]?.slice(0, 13) ?? ''}`,
    )
    .sort();
}

const NPM = [
  '@sindresorhus/is 4.6.0 1 sha512-t09vSN',
  'debug 4.3.4 1 sha512-PRWFHu',
  'ms 2.1.2 1 sha512-sGkPx+',
  'ms 2.1.3 1 sha512-6Flzub',
];

describe('Node', () => {
  test.each(['pnpm7', 'pnpm8', 'pnpm10'])(
    'pnpm-lock.yaml as %s writes it, with an alias and a scope',
    (tool) => {
      expect(lines(fixture(`${tool}/pnpm-lock.yaml`))).toEqual(NPM);
    },
  );

  test('yarn.lock of Yarn 1', () => {
    expect(lines(fixture('yarn1/yarn.lock'))).toEqual(NPM);
  });

  test('yarn.lock of Yarn 4: names and versions, because its checksums are of other files', () => {
    expect(lines(fixture('yarn4/yarn.lock'))).toEqual(NPM.map((line) => `${line.split(' 1 ')[0]} 0 `));
  });

  test('package-lock.json: this repository’s own', () => {
    const locked = readLockFile('package-lock.json', readFileSync('package-lock.json', 'utf8'));
    const yaml = locked.find(({ name }) => name === 'yaml');
    expect(yaml).toMatchObject({
      ecosystem: 'npm',
      version: '2.9.1',
      digests: [expect.stringMatching(/^sha512-/)],
    });
    expect(locked.length).toBeGreaterThan(200);
  });

  test('package-lock.json: nested, aliased, linked, bundled, and with a weak hash', () => {
    const integrity = `sha512-${Buffer.alloc(64, 1).toString('base64')}`;
    const packages = {
      '': { name: 'root' },
      'packages/own': { version: '1.0.0' },
      'node_modules/own': { resolved: 'packages/own', link: true },
      'node_modules/a': { version: '1.0.0', integrity },
      'node_modules/a/node_modules/@s/b': { version: '2.0.0', integrity: `sha1-AAAA ${integrity}` },
      'node_modules/mine': { name: 'theirs', version: '3.0.0', integrity },
      'node_modules/a/node_modules/c': { version: '4.0.0', inBundle: true },
      'node_modules/old': { version: '5.0.0', integrity: `sha1-${Buffer.alloc(20).toString('base64')}` },
    };
    const text = JSON.stringify({ lockfileVersion: 3, packages });
    expect(lines(readLockFile('app/npm-shrinkwrap.json', text))).toEqual([
      '@s/b 2.0.0 1 sha512-AQEBAQ',
      'a 1.0.0 1 sha512-AQEBAQ',
      'old 5.0.0 0 ',
      'theirs 3.0.0 1 sha512-AQEBAQ',
    ]);
  });

  test('pnpm: what comes from elsewhere than a registry is left out', () => {
    const text = [
      "lockfileVersion: '9.0'",
      'packages:',
      '  a@https://example.org/a.tgz: { resolution: { tarball: https://example.org/a.tgz } }',
      '  b@file:../b: { resolution: { directory: ../b, type: directory } }',
      '  c@1.0.0(react@18.0.0): { resolution: { integrity: wrong } }',
    ].join('\n');
    expect(lines(readLockFile('pnpm-lock.yaml', text))).toEqual(['c 1.0.0 0 ']);
    const peer = 'lockfileVersion: 5.4\npackages:\n  /@s/c/1.0.0_react@18.0.0: { resolution: {} }\n';
    expect(lines(readLockFile('pnpm-lock.yaml', peer))).toEqual(['@s/c 1.0.0 0 ']);
  });
});

const PYTHON = ['six 1.16 2 ', 'zope-interface 6 '];
const POETRY = `
[[package]]
name = "six"
version = "1.16.0"
files = [
  {file = "six-1.16.0-py2.py3-none-any.whl", hash = "sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254"},
]
[[package]]
name = "own"
version = "1.0.0"
files = []
[package.source]
type = "directory"
url = "own"
[metadata]
lock-version = "1.1"
[metadata.files]
six = [{file = "six-1.16.0.tar.gz", hash = "sha256:1e61c37477a1626458e36f7b1d82aa5c9b094fa4802892072e49de9c60c4c926"}]
`;

describe('Python', () => {
  test.each(['uv.lock', 'pylock.toml', 'requirements.txt', 'Pipfile.lock'])(
    '%s as its tool writes it',
    (file) => {
      const found = lines(fixture(`python/${file}`)).join('\n');
      for (const line of PYTHON) expect(found).toContain(line);
      const six = fixture(`python/${file}`).find(({ name }) => name === 'six')!;
      expect(six.digests).toContain('sha256-irsvHYaJCi37mJ+ad8/P0+R8KjVLAREXcTJviqJuAlQ=');
    },
  );

  test.each(['poetry.lock', 'pdm.lock'])('%s, with files at the package and apart', (file) => {
    expect(readLockFile(file, POETRY)).toMatchObject([
      { name: 'six', version: '1.16', digests: [expect.anything(), expect.anything()] },
    ]);
  });

  test('requirements: extras, markers, options, addresses, and no hash', () => {
    const hash = `--hash=sha256:${'ab'.repeat(32)}`;
    const text = [
      '-r other.txt',
      '--index-url https://example.org',
      `Zope.Interface[test] == 6.0 ; python_version > "3.8" ${hash} # why`,
      `a_b==1.0 \\\r\n  ${hash} \\`,
      `  --hash=sha256:${'cd'.repeat(32)}`,
      'c>=2',
      'd==1.*',
      'e @ https://example.org/e-1.0.tar.gz',
      './local/path',
      `f===1.0+local ${hash} --hash=md5:abcd`,
    ].join('\n');
    expect(lines(readLockFile('requirements/dev.txt', text))).toEqual([
      'a-b 1 2 sha256-q6urq6',
      'c null 0 ',
      'd null 0 ',
      'f 1+local 1 sha256-q6urq6',
      'zope-interface 6 1 sha256-q6urq6',
    ]);
  });
});

describe('others', () => {
  test('Cargo.lock, and its first form', () => {
    expect(lines(fixture('Cargo.lock'))).toEqual([
      'itoa 1.0.19 1 sha256-O9FXTm',
      'semver 1.0.28 1 sha256-inhS0C',
    ]);
    const source = 'registry+https://example.org/index';
    const text = `[[package]]\nname = "A_b"\nversion = "1.0.0"\nsource = "${source}"\n[metadata]\n"checksum A_b 1.0.0 (${source})" = "${'ab'.repeat(32)}"\n`;
    expect(lines(readLockFile('Cargo.lock', text))).toEqual(['a_b 1.0.0 1 sha256-q6urq6']);
  });

  test('go.sum: of the zip and of go.mod', () => {
    const locked = fixture('go.sum');
    expect(locked).toHaveLength(6);
    expect(locked).toContainEqual({
      ecosystem: 'go',
      name: 'rsc.io/sampler',
      version: 'v1.3.0',
      digests: ['go-h1:7uVkIFmeBqHfdjD+gZwtXXI+RODJ2Wc4O7MPEh/QiW4='],
    });
    expect(readLockFile('go.sum', 'a.example/b v1.0.0 h2:new\n')[0]!.digests).toEqual([]);
    expect(() => readLockFile('go.sum', 'a b\n')).toThrow('line 1 is not');
  });

  test('verification-metadata.xml', () => {
    const [one, two] = ['ab', 'cd'].map((hex) => hex.repeat(32));
    const text = `<?xml version="1.0"?><verification-metadata><components>
      <component group="org.example" name="lib" version="1.0"><artifact name="lib-1.0.jar">
        <sha256 value="${one}" origin="x"><also-trust value="${two}"/></sha256></artifact>
        <artifact name="lib-1.0.pom"><md5 value="abcd"/></artifact></component></components></verification-metadata>`;
    const [lib] = readLockFile('gradle/verification-metadata.xml', text);
    expect(lib).toMatchObject({ ecosystem: 'maven', name: 'org.example:lib', version: '1.0' });
    expect(lib!.digests).toHaveLength(2);
  });

  test('Maven has no lock file, and the refusal says so', () => {
    expect(() => readLockFile('pom.xml', '<project/>')).toThrow('Maven has no lock file');
    expect(() => readLockFile('src/main.c', '')).toThrow('Name one of these: package-lock.json');
    expect(
      ['a/requirements.txt', 'dev-requirements.txt', 'requirements/a.txt', 'pylock.dev.toml'].map(isLockFile),
    ).toEqual([true, true, true, true]);
    expect(['readme.txt', 'constructor', 'lock.yaml'].map(isLockFile)).toEqual([false, false, false]);
  });
});

const FILES = [
  'package-lock.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'uv.lock',
  'poetry.lock',
  'Pipfile.lock',
  'pylock.toml',
  'requirements.txt',
  'Cargo.lock',
  'go.sum',
  'verification-metadata.xml',
];

/** The list, or the one error that is meant for people; anything else is a fault of ours. */
function readOrRefused(file: string, text: string): Locked[] {
  try {
    return readLockFile(file, text);
  } catch (error) {
    expect(error).toBeInstanceOf(LockFileUnreadable);
    expect((error as Error).message.length).toBeLessThan(600);
    return [];
  }
}

describe('hostile files', () => {
  const shapes = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, 0, '', 'x', '__proto__', 'sha512-AAAA', '1.0.0'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom(
          'packages',
          'package',
          'files',
          'name',
          'version',
          'source',
          'resolution',
          'default',
          'node_modules/a',
          '__proto__',
          'constructor',
          'metadata',
          'lockfileVersion',
        ),
        tie('value'),
        { maxKeys: 5 },
      ),
    ),
  })).value;

  test.each(FILES)('%s: any text and any shape is read, or refused in words', (file) => {
    const garbage = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      shapes.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(garbage, (text) => {
        for (const { name, digests } of readOrRefused(file, text)) {
          expect(typeof name).toBe('string');
          expect(Array.isArray(digests)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  test.each(FILES)('%s: a file cut off anywhere is read, or refused in words', (file) => {
    const whole = ['pnpm10/', 'yarn1/', 'python/', ''].map((folder) => {
      try {
        return readFileSync(join(FIXTURES, folder, file), 'utf8');
      } catch {
        return '';
      }
    });
    const text = whole.find((found) => found !== '') ?? POETRY;
    for (let end = 0; end < text.length; end += 37) readOrRefused(file, text.slice(0, end));
  });

  const MANY = 200_000;
  test.each<[string, string, string]>([
    ['JSON nested deeply', 'package-lock.json', '['.repeat(MANY)],
    ['YAML nested deeply', 'pnpm-lock.yaml', '['.repeat(20_000)],
    ['YAML aliases', 'pnpm-lock.yaml', 'lockfileVersion: 9\na: &a [1,2]\npackages: *a\n'],
    [
      'YAML with many keys',
      'pnpm-lock.yaml',
      `lockfileVersion: 9\npackages:\n${Array.from({ length: 20_000 }, (_, n) => `  a@${n}: {}\n`).join('')}`,
    ],
    ['TOML nested deeply', 'uv.lock', `a = ${'['.repeat(MANY)}`],
    ['TOML tables nested deeply', 'Cargo.lock', `[${Array(20_000).fill('a').join('.')}]\n`],
    ['XML nested deeply', 'verification-metadata.xml', '<component>'.repeat(MANY)],
    ['one long line of spaces', 'requirements.txt', `a${' '.repeat(MANY)}=${' '.repeat(MANY)}x`],
    ['a line with a separator within', 'requirements.txt', `a${' #'.repeat(MANY)}\u2028x`],
    ['a long name', 'requirements.txt', `${'a-'.repeat(MANY)}!`],
    ['a long value', 'yarn.lock', `# yarn lockfile v1\na@1:\n  version "${' '.repeat(MANY)}"x`],
    ['a long head', 'yarn.lock', `# yarn lockfile v1\n${'a@npm:'.repeat(MANY)}:\n`],
    ['a long hash', 'go.sum', `a v1${'0'.repeat(MANY)} ${'h1:'.repeat(MANY)}\n`],
    ['a long key', 'pnpm-lock.yaml', `lockfileVersion: 9\npackages:\n  ? "a@1${'('.repeat(MANY)}"\n  : {}\n`],
  ])('%s takes no time that a person would notice', (_what, file, text) => {
    // Processor time of this thread: the machine may be busy with other tests.
    const began = process.threadCpuUsage().user;
    readOrRefused(file, text);
    expect((process.threadCpuUsage().user - began) / 1e6).toBeLessThan(3);
  });

  test('aliases are refused by name', () => {
    expect(() => readLockFile('pnpm-lock.yaml', 'lockfileVersion: 9\na: &a [1]\nb: *a\n')).toThrow('aliases');
  });

  test('a file that is too large is not read at all', () => {
    expect(() => readLockFile('go.sum', ' '.repeat(17 * 1024 * 1024))).toThrow('has more than');
    expect(() => readLockFile('pnpm-lock.yaml', ' '.repeat(5 * 1024 * 1024))).toThrow('has more than');
  });
});
