/** `flows/*.yaml`: one flow or a list of flows in a file. */
import { z } from 'zod';
import { EVENT_NAMES, type ForgeEventName } from '../vocabulary.ts';
import { compileCondition } from './conditions.ts';
import type { Clause, Flow } from './config.ts';
import type { Loading } from './loading.ts';
import { suggestion } from './nearest.ts';
import { NAME_PATTERN } from './option-kinds.ts';
import { validate } from './problems.ts';
import { tableOf } from './table.ts';
import { readYaml } from './yaml-text.ts';

const condition = z.string().min(1);

export const flowOptions = z.strictObject({
  name: z.string().regex(NAME_PATTERN).meta({
    description: 'What `explain` calls it. A flow with the name of a shipped one replaces the keys it gives.',
    'x-expects': 'lower-case letters, digits and dashes',
  }),
  on: z.array(z.string().min(1)).min(1).meta({ description: 'Names of the events it looks at.' }),
  if: z
    .union([condition, z.array(condition)])
    .default([])
    .meta({
      description: 'CEL conditions, all of which must hold.',
      'x-expects': 'a condition or a list of them',
    }),
  agent: z.string().min(1).meta({ description: 'The agent it wakes.' }),
  skill: z.string().min(1).meta({ description: 'The skill it is woken with.' }),
  with: z
    .record(z.string(), z.unknown())
    .default({})
    .meta({ description: 'Values the skill sees as `with`.' }),
  priority: z.int().min(0).max(100).default(50).meta({
    description:
      'When several flows would wake the same agent, the highest wins; among equals your own, then the first in the files.',
  }),
  enabled: z.boolean().default(true).meta({ description: '`false` switches it off.' }),
});

type FlowOptions = z.output<typeof flowOptions>;

const FLOW_TABLE = tableOf(flowOptions);

export interface RawFlow {
  file: string;
  name: string | null;
  /** position in its file */
  index: number;
  keys: unknown;
}

export function readFlows(file: string, text: string, loading: Loading): RawFlow[] {
  const yaml = readYaml(file, text);
  if (yaml.kind === 'problems') {
    loading.problems.push(...yaml.problems);
    return [];
  }
  const entries = Array.isArray(yaml.value) ? yaml.value : yaml.value == null ? [] : [yaml.value];
  const names = entries.map(nameOf);
  loading.lines.set(file, ([name, ...rest]) => {
    const index = typeof name === 'number' ? name : names.indexOf(String(name));
    if (index < 0) return null;
    return yaml.lineOf(Array.isArray(yaml.value) ? [index, ...rest] : rest);
  });
  return entries.map((keys, index) => ({ file, name: nameOf(keys), index, keys: withoutEmpty(keys) }));
}

/**
 * The operator's flows come first. A flow with the name of a shipped one takes from it the keys it does not give
 * itself.
 */
export function mergeFlows(own: readonly RawFlow[], shipped: readonly RawFlow[]): RawFlow[] {
  const names = new Set(own.map((flow) => flow.name));
  const merged = own.map((flow) => {
    const base = flow.name === null ? undefined : shipped.find((other) => other.name === flow.name);
    return base && isMapping(flow.keys)
      ? { ...flow, keys: { ...(base.keys as object), ...flow.keys } }
      : flow;
  });
  return [...merged, ...shipped.filter((flow) => !names.has(flow.name))];
}

/** Null when the flow has a problem; the problem has been reported. */
export function readFlow(raw: RawFlow, loading: Loading): Flow | null {
  const prefix = raw.name ?? `[${raw.index}]`;
  const before = loading.problems.length;
  const subject = { file: raw.file, table: FLOW_TABLE, value: raw.keys, prefix };
  const found = validate(flowOptions, subject, (problem) => loading.problems.push(problem));
  if (found === null) return null;
  const report = (path: string, value: string, problem: string, remedy: string) =>
    loading.problems.push({ file: raw.file, path: `${prefix}.${path}`, value, problem, remedy });
  found.on.forEach((name, index) => {
    if ((EVENT_NAMES as readonly string[]).includes(name)) return;
    report(`on[${index}]`, JSON.stringify(name), 'is not an event', suggestion(name, EVENT_NAMES));
  });
  const clauses = readClauses(found, report);
  if (loading.problems.length > before) return null;
  const { name, agent, skill, priority, enabled } = found;
  return {
    name,
    file: raw.file,
    on: found.on as ForgeEventName[],
    clauses,
    agent,
    skill,
    with: found.with,
    priority,
    enabled,
  };
}

function readClauses(
  found: FlowOptions,
  report: (path: string, value: string, problem: string, remedy: string) => void,
): Clause[] {
  const texts = typeof found.if === 'string' ? [found.if] : found.if;
  return texts.flatMap((text, index) => {
    const compiled = compileCondition(text);
    if (compiled.kind === 'clauses') return compiled.clauses;
    const path = typeof found.if === 'string' ? 'if' : `if[${index}]`;
    report(path, compiled.clause, compiled.problem, compiled.remedy);
    return [];
  });
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nameOf(keys: unknown): string | null {
  return isMapping(keys) && typeof keys.name === 'string' ? keys.name : null;
}

function withoutEmpty(keys: unknown): unknown {
  return isMapping(keys)
    ? Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== null))
    : keys;
}
