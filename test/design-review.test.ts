/** The design review on a small web app: a seeded fault is found and shown, and its fix has no problem left. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { needs } from './support/requirements.ts';

const TOOL = join(import.meta.dirname, '../defaults/tools/design-review/main.mjs');
const here = needs('chromium');

const TOKENS = ':root { --ink: #1a1a1a; --paper: #ffffff; --accent: #0b57d0; }\n';
const PAGE = [
  '<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width">',
  '<title>Greeter</title><link rel="stylesheet" href="tokens.css"><link rel="stylesheet" href="app.css"></head>',
  '<body><main><h1>Greeter</h1><p>Greets people by name.</p><button class="greet">Greet</button></main></body></html>',
].join('\n');
const CSS = [
  'body { font: 16px sans-serif; color: var(--ink); background: var(--paper); }',
  '@media (prefers-color-scheme: dark) { body { color: var(--paper); background: var(--ink); } }',
  '.greet { color: var(--paper); background: var(--accent); border: 0; padding: 12px 24px; }',
  '.greet:focus-visible { outline: 3px solid currentColor; outline-offset: 2px; }',
].join('\n');
/** Three faults: low contrast, a colour outside of the tokens, no visible focus. */
const FAULT = CSS.replace(
  'color: var(--paper); background: var(--accent);',
  'color: #9bbdf0; background: var(--accent);',
)
  .replace('outline: 3px solid currentColor; outline-offset: 2px;', 'outline: none;')
  .replace('#9bbdf0', '#5b8fe0');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'design-review-'));
  site('base', CSS);
});
afterEach(() => rmSync(folder, { recursive: true }));

function site(name: string, css: string): void {
  mkdirSync(join(folder, name));
  for (const [file, text] of [
    ['index.html', PAGE],
    ['tokens.css', TOKENS],
    ['app.css', css],
  ] as const) {
    writeFileSync(join(folder, name, file), text);
  }
}

async function review(after: string, ...more: string[]) {
  const args = [
    TOOL,
    '--before',
    'base',
    '--after',
    after,
    '--tokens',
    'base/tokens.css',
    '--out',
    'out',
    ...more,
  ];
  const ran = await new Promise<{ code: number; out: string }>((resolve) =>
    execFile(
      process.execPath,
      args,
      { cwd: folder, env: { PATH: process.env.PATH, HOME: folder } },
      (error, out, err) => resolve({ code: error === null ? 0 : 1, out: `${out}${err}` }),
    ),
  );
  const file = join(folder, 'out/report.json');
  return { ...ran, report: existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null };
}

describe.skipIf(!here.ok)(here.title('the design review'), () => {
  test('finds the seeded fault at three sizes in both themes, and shows it', async () => {
    site('change', FAULT);
    const { code, out, report } = await review('change');
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('problems:') });
    expect(report.shots).toHaveLength(6);
    for (const { violations, focus, changed } of report.shots) {
      expect(violations).toEqual([expect.objectContaining({ id: 'color-contrast', count: 1 })]);
      expect(violations[0].nodes[0].element).toBe('button');
      expect(focus).toEqual(['button.greet']);
      expect(changed.pixels).toBeGreaterThan(20);
    }
    expect(report.colours).toEqual([{ file: 'app.css', line: 3, value: '#5b8fe0' }]);
    const { files } = report.shots.find(
      (s: { size: string; theme: string }) => s.size === 'phone' && s.theme === 'dark',
    );
    expect(await sharp(join(folder, 'out', files.after)).metadata()).toMatchObject({
      width: 390,
      height: 844,
    });
    expect(await sharp(join(folder, 'out', files.difference)).metadata()).toMatchObject({ width: 390 });
    const { dominant } = await sharp(join(folder, 'out', files.after)).stats();
    expect(dominant.r).toBeLessThan(60);
  });

  test('has nothing to say about its fix', async () => {
    cpSync(join(folder, 'base'), join(folder, 'fixed'), { recursive: true });
    const { out, report } = await review('fixed', '--size', 'phone', '--theme', 'light');
    expect(out).toContain('No problem found.');
    expect(out).toContain('No pixel differs from the base branch.');
    expect(report.colours).toEqual([]);
  });

  test('names what it does not know', async () => {
    expect((await review('base', '--size', 'watch')).out).toContain('Unknown: watch');
    expect((await review('nowhere')).out).toContain('design-review failed: ENOENT');
  });
});
