/** What is known of a kind of forge stands in its folder below src/forges. Everything else asks its kit. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const SOURCES = join(import.meta.dirname, '../src');

/** Names of kinds, their headers, refs, addresses, scopes and settings; comments count, because they are read as rules. */
const KNOWLEDGE = [
  /forgejo|gitea|gogs|github|gitlab/i,
  /\bx-hub-signature/i,
  /refs\/(pull|merge-requests)\b/,
  /\/api\/v\d/,
  /\b(read|write):(user|issue|repository|organization)\b|ALLOWED_HOST_LIST/,
];

/** Files that may name a kind, and why. One that names none any more fails below. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'broker/protected-files.ts':
    'names of files in repositories: one on a forge of any kind may be mirrored to one of another, whose robots obey them',
  'demo/stage.ts': 'the demo plays on the pocket forge, which speaks as one kind',
  'workdir/lfs-pointer.ts': 'the first line of every pointer of Git LFS is an address',
};

function known(text: string): string[] {
  return text.split('\n').filter((line) => KNOWLEDGE.some((pattern) => pattern.test(line)));
}

const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.startsWith('forges/'))
  .sort();

describe('outside src/forges', () => {
  test('no file names a kind of forge, its headers, its refs or its API', () => {
    expect(files.length).toBeGreaterThan(200);
    const found = files
      .filter((path) => !Object.hasOwn(EXCEPTIONS, path))
      .flatMap((path) =>
        known(readFileSync(join(SOURCES, path), 'utf8')).map((line) => `${path}: ${line.trim()}`),
      );
    expect(found).toEqual([]);
  });

  test('every exception is still one', () => {
    const meaningless = Object.keys(EXCEPTIONS).filter(
      (path) => known(readFileSync(join(SOURCES, path), 'utf8')).length === 0,
    );
    expect(meaningless).toEqual([]);
  });

  test('no file imports the folder of a kind', () => {
    const importing = files.filter((path) =>
      /from '[^']*forges\/[a-z-]+\//.test(readFileSync(join(SOURCES, path), 'utf8')),
    );
    expect(importing).toEqual([]);
  });
});

describe('the pattern finds', () => {
  test.each([
    ["kind === 'forgejo'"],
    ['`refs/pull/${number}/head`'],
    ["headers.get('X-Gitea-Event')"],
    ['${url}/api/v1/user'],
    ['// as Forgejo does'],
  ])('%s', (line) => {
    expect(known(line)).toEqual([line]);
  });
});

test('shared files of src/forges name kinds in two places: the registry, and headers of forges that are not served', () => {
  const naming = readdirSync(join(SOURCES, 'forges'))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .filter((path) =>
      /['"`](forgejo|gitea|github|gitlab)['"`]|refs\/pull|\/api\/v\d/.test(
        readFileSync(join(SOURCES, 'forges', path), 'utf8'),
      ),
    );
  expect(naming).toEqual(['delivery-headers.ts']);
});

test('no port of the client has more than ten methods', () => {
  const texts = ['forge.ts', 'changes.ts'].map((file) => readFileSync(join(SOURCES, 'forges', file), 'utf8'));
  const text = texts.join('\n');
  const whole = /^export interface Forge\s+extends ([^{]+)\{/m.exec(text)![1]!;
  const ports = whole.split(',').map((name) => name.trim());
  expect(ports.length).toBeGreaterThan(4);
  for (const port of ports) {
    const body = new RegExp(`^export interface ${port} \\{\n([^]*?)^\\}`, 'm').exec(text)![1]!;
    const methods = body.match(/^ {2}\w+\(/gm) ?? [];
    expect(methods.length, port).toBeGreaterThan(0);
    expect(methods.length, port).toBeLessThanOrEqual(10);
  }
});
