/**
 * `npm run prove`: switches each guard off in turn, in a throw-away copy of the tree, and shows which tests turn red.
 * A guard that can be switched off without a test noticing is not proved, and fails this command.
 *
 *   npm run prove                 every guard
 *   npm run prove -- lease        guards whose name contains "lease"
 *   npm run prove -- --json FILE  the report as JSON, too
 *   npm run prove -- --first      ends a guard's run at its first red test: shorter, and names that test only
 *   npm run prove -- --part 1/2   every second guard, from the first: two of them share the work
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { GUARDS } from './guards/every.ts';
import type { Edit, Guard, TextEdit } from './guards/guard.ts';
import { marks, replaced } from './guards/marks.ts';

const ROOT = resolve(import.meta.dirname, '..');
/** What a test run needs; node_modules is linked. */
const COPIED = [
  'src',
  'rehearsal',
  'test',
  'defaults',
  'docs',
  'scripts',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
  'README.md',
  'claude-hooks.schema.json',
];

interface Proof {
  guard: string;
  keeps: string;
  /** names of the tests that turned red; empty = the guard is not proved */
  red: string[];
  seconds: number;
  problem: string | null;
}

const { values: options, positionals } = parseArgs({
  options: { json: { type: 'string' }, first: { type: 'boolean' }, part: { type: 'string', default: '1/1' } },
  allowPositionals: true,
});
const wanted = positionals[0] ?? '';
const [part, parts] = options.part.split('/').map(Number) as [number, number];
if (!(part >= 1 && part <= parts)) throw new Error(`--part ${options.part} is no part; write 1/2 or 2/2.`);

const marked = marks(ROOT);
const copy = mkdtempSync(join(tmpdir(), 'claude-hooks-prove-'));
try {
  for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const named = GUARDS.filter((g) => g.name.includes(wanted));
  const proofs = named.filter((_, i) => i % parts === part - 1).map(prove);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(proofs, null, 2)}\n`);
  const unproved = proofs.filter((p) => p.red.length === 0);
  process.stdout.write(`\n${proofs.length - unproved.length} guards proved, ${unproved.length} not\n`);
  if (unproved.length > 0 || proofs.length === 0) process.exitCode = 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}

function prove(guard: Guard): Proof {
  const started = Date.now();
  const originals = new Map<string, string>();
  let red: string[] = [];
  let problem: string | null = null;
  try {
    for (const edit of guard.off) switchOff(edit, originals);
    red = failingTests(guard.tests);
    if (red.length === 0) problem = 'every test stayed green';
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  } finally {
    for (const [file, text] of originals) writeFileSync(file, text);
  }
  const proof = {
    guard: guard.name,
    keeps: guard.keeps,
    red,
    seconds: (Date.now() - started) / 1000,
    problem,
  };
  process.stdout.write(describe(proof));
  return proof;
}

function switchOff(edit: Edit, originals: Map<string, string>): void {
  const file = join(copy, 'mark' in edit ? fileOf(edit.mark) : edit.file);
  const text = readFileSync(file, 'utf8');
  if (!originals.has(file)) originals.set(file, text);
  writeFileSync(file, 'mark' in edit ? replaced(text, edit) : textReplaced(text, edit));
}

function fileOf(mark: string): string {
  const files = marked.get(mark) ?? [];
  if (files.length === 1) return files[0]!;
  throw new Error(
    `"guard: ${mark}" is written ${files.length} times in the source; mark the guarded line once.`,
  );
}

function textReplaced(text: string, { file, find, replace }: TextEdit): string {
  const times = text.split(find).length - 1;
  if (times !== 1)
    throw new Error(`${file} holds the guard's text ${times} times, not once; correct the guard.`);
  // A function: the text may hold dollar signs, which a replacement string would read as patterns.
  return text.replace(find, () => replace);
}

function failingTests(tests: Guard['tests']): string[] {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const filter = tests.named === undefined ? [] : ['-t', tests.named];
  const run = spawnSync(
    process.execPath,
    [
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      ...tests.files,
      ...filter,
      ...(options.first === true ? ['--bail=1'] : []),
      '--reporter=json',
      `--outputFile=${report}`,
    ],
    {
      cwd: copy,
      encoding: 'utf8',
      timeout: 10 * 60_000,
      env: { ...process.env, ...(tests.fault === undefined ? {} : { FAULT: tests.fault }) },
    },
  );
  const results = readReport(report, run.stdout + run.stderr);
  const all = results.testResults.flatMap((f) => f.assertionResults);
  const broken = results.testResults.filter((f) => f.assertionResults.length === 0);
  // A file that does not even load says nothing about the guard. With --first, files after the red test are not begun.
  const isBegun = options.first === true && all.some((t) => t.status === 'failed');
  if (broken.length > 0 && !isBegun)
    throw new Error(`${broken[0]!.name} did not run: ${broken[0]!.message.split('\n')[0]}`);
  if (all.every((t) => t.status !== 'passed' && t.status !== 'failed')) throw new Error('no test ran');
  return all.filter((t) => t.status === 'failed').map((t) => t.fullName);
}

interface VitestReport {
  testResults: {
    name: string;
    message: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
}

function readReport(file: string, output: string): VitestReport {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  } catch {
    throw new Error(`the test run left no report: ${output.trim().slice(-300)}`);
  }
}

function describe(proof: Proof): string {
  const head = `${proof.red.length > 0 ? 'proved    ' : 'NOT PROVED'} ${proof.guard} (${proof.seconds.toFixed(0)} s): ${proof.keeps}\n`;
  const shown = proof.red.slice(0, 3).map((name) => `             red: ${name}\n`);
  const more = proof.red.length > 3 ? `             and ${proof.red.length - 3} more\n` : '';
  return `${head}${proof.problem === null ? '' : `             ${proof.problem}\n`}${shown.join('')}${more}`;
}
