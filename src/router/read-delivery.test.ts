import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { COMMENT, changed, type Json } from '../../test/fixtures/bodies.ts';
import { EVENT_TEXT_LIMIT } from '../forges/event-limits.ts';
import { SMALL_BODY_BYTES } from '../inbox/pieces.ts';
import { readApart } from './read-apart.ts';
import { readDelivery } from './read-delivery.ts';

const MIB = 1024 * 1024;
const HEADERS = {
  kind: 'forgejo',
  deliveryId: 'd',
  event: 'issue_comment',
  eventType: 'issue_comment',
} as const;

async function read(body: string | Uint8Array, eventType = 'issue_comment') {
  const bytes = Buffer.from(body);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 65_536) pieces.push(bytes.subarray(at, at + 65_536));
  const headers = {
    'x-forgejo-delivery': 'd',
    'x-forgejo-event': 'issue_comment',
    'x-forgejo-event-type': eventType,
  };
  // As it is stored: in pieces, where it is large.
  const isSmall = bytes.length <= SMALL_BODY_BYTES;
  const row = isSmall ? { body: bytes, pieces: null } : { body: new Uint8Array(), pieces: pieces.length };
  return await readDelivery({ forge: 'home', headers: JSON.stringify(headers), ...row }, pieces);
}

const comment = (fields: Json) => JSON.stringify(changed(COMMENT, fields));

async function eventOf(body: string) {
  const reading = await read(body);
  if (!('event' in reading)) throw new Error(JSON.stringify(reading));
  return reading.event;
}

describe('a stored delivery', () => {
  test('means the same in the other thread as in this one', async () => {
    const body = comment({ 'comment.body': 'Thanks, @bo!' });
    expect(body.length).toBeLessThan(SMALL_BODY_BYTES);
    const here = await read(body);
    const apart = await readApart({ forge: 'home', headers: HEADERS }, [Buffer.from(body)]);
    expect(apart).toEqual({ kind: 'event', ...here });
    expect(here).toMatchObject({ event: { mentions: ['bo'] } });
  });

  test('of 20 MB becomes a small event: texts are cut and say so, and the cut part calls nobody', async () => {
    const long = `Hello @bo ${'pears '.repeat(3 * MIB)} @eve`;
    const event = await eventOf(comment({ 'comment.body': long, 'issue.title': 'x'.repeat(5000) }));
    expect(JSON.stringify(event).length).toBeLessThan(150_000);
    expect(event.comment!.body.startsWith(long.slice(0, EVENT_TEXT_LIMIT))).toBe(true);
    expect(event.comment!.body).toMatch(/\[cut: \d+ more characters are on the forge\]$/);
    expect(event.item!.title).toMatch(/^x{1000}\n\n\[cut: 4000 more/);
    expect(event.mentions).toEqual(['bo']);
  });

  test('is never held here as a whole: each piece has gone to the other thread when the next one is asked for', async () => {
    const body = Buffer.from(comment({ 'comment.body': `@bo ${'x'.repeat(4 * MIB)}` }));
    const given: Uint8Array[] = [];
    const left: number[] = [];
    async function* pieces() {
      for (let at = 0; at < body.length; at += 65_536) {
        left.push(given.reduce((sum, piece) => sum + piece.byteLength, 0));
        given.push(new Uint8Array(body.subarray(at, at + 65_536)));
        yield given.at(-1)!;
      }
    }
    const outcome = await readApart({ forge: 'home', headers: HEADERS }, pieces());
    expect(outcome).toMatchObject({ kind: 'event', event: { mentions: ['bo'] } });
    expect(left.length).toBeGreaterThan(60);
    expect(Math.max(...left)).toBe(0);
  });

  test('whose rest cannot be had fails as it was, and leaves nothing to the next one', async () => {
    async function* broken() {
      yield Buffer.from('{"action":"x",');
      throw new Error('the database is gone');
    }
    await expect(readApart({ forge: 'home', headers: HEADERS }, broken())).rejects.toThrow(
      'database is gone',
    );
    expect(await eventOf(comment({ 'comment.body': 'x'.repeat(200_000) }))).toMatchObject({
      name: 'comment.created',
    });
  });

  test('two that differ only behind the cut are two happenings', async () => {
    const edit = (end: string) =>
      eventOf(comment({ action: 'edited', 'comment.body': `${'a'.repeat(100_000)}${end}` }));
    expect((await edit('1')).semanticKey).not.toBe((await edit('2')).semanticKey);
  });

  test.each<[string, () => string | Uint8Array, RegExp]>([
    [
      'nested 100,000 deep',
      () => `{"action":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      /nested more than 100 deep/,
    ],
    ['nested 30,000 deep, and small', () => '['.repeat(30_000), /nested more than 100 deep/],
    [
      'with two million keys',
      () => `{${Array.from({ length: 2_000_000 }, (_, n) => `"${n}":0`).join(',')}}`,
      /more than 200000 values/,
    ],
    ['with ten million lists', () => `[${'[],'.repeat(8 * MIB)}0]`, /more than 200000 values/],
    ['that is no UTF-8, small', () => Uint8Array.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), /not JSON/],
    ['that is no UTF-8, large', () => Buffer.alloc(20 * MIB, 0xff), /not JSON/],
    ['that ends in a string', () => `{"a":"${'x'.repeat(MIB)}`, /not JSON/],
    ['of quotes and backslashes', () => `{"a":"${'\\"\\\\'.repeat(MIB)}`, /not JSON/],
    [
      'with a login of 20 MB',
      () => comment({ 'sender.login': 'a'.repeat(20 * MIB) }),
      /sender\.login has 20971520 characters/,
    ],
    [
      'with 100,000 labels',
      () => comment({ 'issue.labels': Array.from({ length: 100_000 }, (_, id) => ({ id, name: 'a' })) }),
      /item\.labels has 100000 entries|more than 200000 values/,
    ],
  ])('%s fails in words', async (_, body, words) => {
    const reading = await read(body());
    expect(reading).toMatchObject({ result: { state: 'failed', reason: expect.stringMatching(words) } });
    if ('result' in reading && 'reason' in reading.result) {
      expect(reading.result.reason.length).toBeLessThan(1000);
    }
    // The next one is read as ever.
    expect(await eventOf(comment({ 'comment.body': 'x'.repeat(200_000) }))).toMatchObject({
      name: 'comment.created',
    });
  });
});

test('the package as it is built reads large bodies, too', async () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-dist-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const run = promisify(execFile);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  symlinkSync(join(root, 'package.json'), join(folder, 'package.json'));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', join(folder, 'dist')], {
    cwd: root,
  });
  const script = `
    import { readApart } from ${JSON.stringify(join(folder, 'dist/src/router/read-apart.js'))};
    const pieces = [Buffer.from(process.argv[1])];
    const outcome = await readApart({ forge: 'home', headers: ${JSON.stringify(HEADERS)} }, pieces);
    console.log(outcome.kind, outcome.event.mentions.join());`;
  const { stdout } = await run(process.execPath, [
    '--input-type=module',
    '--eval',
    script,
    comment({ 'comment.body': '@bo' }),
  ]);
  expect(stdout).toBe('event bo\n');
});
