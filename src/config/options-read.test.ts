/** An option that nothing reads is a promise nobody keeps: each key of each table is used outside the tables. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { agentOptions } from './agent-options.ts';
import { flowOptions } from './flow-file.ts';
import { options } from './options.ts';
import { skillOptions } from './skill-file.ts';
import { type TableNode, tableOf } from './table.ts';

const SRC = join(import.meta.dirname, '..');
const TABLES = { 'claude-hooks.yaml': options, agent: agentOptions, flow: flowOptions, skill: skillOptions };

/** Files that describe options and carry them over, but do nothing by them. */
const CARRIERS = /^config\/(?:options|config|assemble|[a-z]+-options)\.ts$/;

/** Options that have another name in the configuration which everybody reads. */
const RENAMED: Readonly<Record<string, string>> = {
  'model.api_key': 'credential',
  'model.auth_token': 'credential',
  forge_tools: 'tools',
  forge_scope: 'scope',
  max_forge_writes: 'maxWrites',
  max_run_requests: 'requests',
  max_run_tokens: 'tokens',
  max_run_usd: 'usd',
  'court.runs_by_agents': 'agentRuns',
  'court.runs_by_robots': 'robotRuns',
  'court.runs_without_progress': 'withoutProgress',
  'mailbox.timers_most': 'most',
  'mailbox.timers_shortest_seconds': 'shortestSeconds',
  'mailbox.timers_longest_days': 'longestDays',
};

/** Read from Claude Code's own agent files, and documented as not used. */
const UNUSED = ['color'];

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => ({ file, text: withoutTexts(readFileSync(join(SRC, file), 'utf8')) }));

/** Comments and texts may name an option without reading it. */
function withoutTexts(source: string): string {
  return source
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/^\s*\/\/.*$/gm, '')
    .replaceAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''");
}

/** Dotted paths of all keys that hold a value. */
function leaves(node: TableNode, path = ''): string[] {
  const below = [
    ...Object.entries(node.properties ?? {}).flatMap(([key, child]) => leaves(child, `${path}.${key}`)),
    ...(typeof node.additionalProperties === 'object' ? leaves(node.additionalProperties, path) : []),
    ...[node.items, ...(node.anyOf ?? [])].flatMap((child) => (child?.properties ? leaves(child, path) : [])),
  ];
  return below.length === 0 ? [path.slice(1)] : [...new Set(below)];
}

/** Taken out of an object, by a dot or by destructuring. */
function isRead(path: string): boolean {
  const key = path.split('.').at(-1)!;
  const camel = key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const names = `(?:${[key, RENAMED[path] ?? camel].join('|')})`;
  const taken = new RegExp(`\\.${names}\\b|[{,]\\s*${names}\\b[^;{}]*\\}\\s*(?:=|:\\s*[A-Z(])`);
  return sources.some(({ file, text }) => !CARRIERS.test(file) && taken.test(text));
}

function unread(table: z.ZodType): string[] {
  return leaves(tableOf(table)).filter((path) => !isRead(path) && !UNUSED.includes(path));
}

describe('every option is read by something', () => {
  test.each(Object.entries(TABLES))('of %s', (_, table) => {
    expect(leaves(tableOf(table)).length).toBeGreaterThan(1);
    expect(unread(table)).toEqual([]);
  });

  test('and one that is not is found', () => {
    const table = z.strictObject({ sessions: z.strictObject({ archive: z.boolean(), kept_days: z.int() }) });
    expect(unread(table)).toEqual(['sessions.kept_days']);
  });
});
