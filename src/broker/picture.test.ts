/** `attach_picture` at the pocket forge: what of a checkout becomes an attachment, and what does not. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTrial, type Trial } from '../../rehearsal/pocket-forge-trial.ts';
import { type BrokerStage, brokerStage, testMarks } from '../../test/support/broker.ts';
import { openSqlite } from '../../test/support/databases.ts';
import { plainPicture } from '../../test/support/sample-pictures.ts';
import { readCheckoutFile } from './checkout-file.ts';

let folder: string;
let checkout: string;
let trial: Trial;
let stage: BrokerStage;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'picture-'));
  checkout = join(folder, 'checkout');
  mkdirSync(join(checkout, 'shots'), { recursive: true });
  trial = await startTrial();
  stage = await brokerStage(trial, await openSqlite());
});
afterEach(async () => {
  await trial.end();
  rmSync(folder, { recursive: true });
});

const attachments = () => trial.forge.state.attachments ?? [];

test('a screenshot is attached once, in a restricted run as well, and the answer shows it', async () => {
  const shot = await plainPicture({ format: 'png', width: 1280, height: 3000 });
  writeFileSync(join(checkout, 'shots/page.png'), shot);
  const run = stage.run({}, { checkout, marks: testMarks([], 'it has read text by cy') });
  const { number } = stage;
  const first = await run.call('attach_picture', { number, path: 'shots/page.png' });
  expect(first).toEqual({
    isError: false,
    text: expect.stringMatching(/!\[picture\]\(\/attachments\/[0-9a-f-]{36}\)$/),
  });
  expect(await run.call('attach_picture', { number, path: './shots/page.png' })).toEqual(first);
  expect(attachments()).toHaveLength(1);
  const [{ name, data } = { name: '', data: '' }] = attachments();
  expect(name).toMatch(/^picture-[0-9a-f]{16}\.png$/);
  expect(await sharp(Buffer.from(data, 'base64')).metadata()).toMatchObject({ width: 1280, height: 3000 });
  expect((await stage.effects()).map(({ kind, state }) => [kind, state])).toEqual([
    ['tool:attach_picture', 'done'],
    ['tool:attach_picture', 'done'],
  ]);
});

test('nothing beyond the checkout, and nothing that is no picture', async () => {
  const picture = await plainPicture({ format: 'png', width: 9, height: 9 });
  writeFileSync(join(folder, 'secret.png'), picture);
  symlinkSync(join(folder, 'secret.png'), join(checkout, 'link.png'));
  symlinkSync(folder, join(checkout, 'out'));
  execFileSync('mkfifo', [join(checkout, 'pipe.png')]);
  writeFileSync(join(checkout, 'text.png'), 'root:x:0:0');
  writeFileSync(join(checkout, 'drawing.svg'), '<svg/>');
  const run = stage.run({}, { checkout });
  const { number } = stage;
  const tried = async (path: string) => (await run.call('attach_picture', { number, path })).text;
  expect(await tried('../secret.png')).toContain('must be a path below the checkout');
  expect(await tried(join(folder, 'secret.png'))).toContain('must be a path below the checkout');
  expect(await tried('link.png')).toContain('it is a link');
  expect(await tried('out/secret.png')).toContain('link is in its path');
  expect(await tried('pipe.png')).toContain('it is no file');
  expect(await tried('shots')).toContain('it is no file');
  expect(await tried('nothing.png')).toContain('no such file');
  expect(await tried('text.png')).toContain('no PNG, JPEG, GIF or WebP');
  expect(await tried('drawing.svg')).toContain('it is SVG');
  expect(attachments()).toEqual([]);
  writeFileSync(join(checkout, 'large.png'), Buffer.alloc(100));
  expect(await readCheckoutFile(checkout, 'large.png', 99)).toEqual({
    kind: 'refused',
    why: 'it has more than 99 bytes',
  });
  expect(await run.call('attach_picture', { number: 999, path: 'text.png' })).toMatchObject({
    isError: true,
  });
});
