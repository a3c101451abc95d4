/**
 * What a reload has changed, told in names from the operator's files. Values are shown only where none can be a secret.
 * Pure.
 */
import type { AgentConfig, Flow, LoadedConfig } from './config.ts';
import type { Options } from './options.ts';
import { childNode, dotted, type Path, type TableNode } from './table.ts';

export interface ConfigChanges {
  /** paths of the files whose text changed, files that hold a secret included */
  files: string[];
  /** `worker.concurrency: 4 → 8` */
  options: string[];
  agents: string[];
  flows: string[];
  /** those of `options` that count only from the next start on */
  atNextStart: string[];
}

export interface Version {
  config: LoadedConfig;
  options: Options;
  /** text of each file by its path; null = it cannot be read */
  texts: ReadonlyMap<string, string | null>;
}

/** Options that are read only once, when the part they belong to is made. */
const READ_AT_START =
  /^(server|state|database|container|worker|sessions|smoke|metrics|network|log|packages\.cache|model\.(small|retries|idle_seconds))\b/;

export function changesOf(before: Version, after: Version, table: TableNode): ConfigChanges {
  const options = changedOptions(before.options, after.options, { node: table, path: [] });
  return {
    files: changedFiles(before.texts, after.texts),
    options: options.map(({ said }) => said),
    agents: changedMembers(agentParts(before.config), agentParts(after.config)),
    flows: changedMembers(flowParts(before.config), flowParts(after.config)),
    atNextStart: options.map(({ name }) => name).filter((name) => READ_AT_START.test(name)),
  };
}

function changedFiles(before: Version['texts'], after: Version['texts']): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => (before.get(path) ?? null) !== (after.get(path) ?? null)).sort();
}

interface Changed {
  name: string;
  said: string;
}

function changedOptions(
  before: unknown,
  after: unknown,
  { node, path }: { node: TableNode | undefined; path: Path },
): Changed[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const name = dotted(path);
  // guard: a reload shows no secret
  if (node?.['x-secret']) return [{ name, said: `${name} (a secret)` }];
  if (!isMapping(before) || !isMapping(after)) return [{ name, said: saidOf(name, before, after) }];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) =>
    changedOptions(before[key], after[key], { node: childNode(node, key), path: [...path, key] }),
  );
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Lists and mappings are not shown: they are long, and somewhere in them may be a secret. */
function saidOf(name: string, before: unknown, after: unknown): string {
  if (before === undefined && isMapping(after)) return `${name} (new)`;
  if (after === undefined && isMapping(before)) return `${name} (removed)`;
  const [from, to] = [before, after].map(shown);
  return from === null || to === null ? name : `${name}: ${from} → ${to}`;
}

function shown(value: unknown): string | null {
  if (value === undefined) return 'nothing';
  if (typeof value === 'object') return null;
  // An address may have a password in it.
  // guard: a reload shows no password in an address
  return String(value).replace(/\/\/[^/]*@/g, '//[redacted]@');
}

type Members = ReadonlyMap<string, Record<string, unknown>>;

function changedMembers(before: Members, after: Members): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [old, now] = [before.get(name), after.get(name)];
    if (old === undefined) return [`${name} (new)`];
    if (now === undefined) return [`${name} (removed)`];
    const parts = Object.keys({ ...old, ...now }).filter(
      (part) => JSON.stringify(old[part]) !== JSON.stringify(now[part]),
    );
    return parts.length === 0 ? [] : [`${name} (${parts.join(', ')})`];
  });
}

function agentParts({ agents }: LoadedConfig): Members {
  return new Map([...agents].map(([name, agent]: [string, AgentConfig]) => [name, { ...agent }]));
}

function flowParts({ flows }: LoadedConfig): Members {
  return new Map(
    flows.map(({ clauses, ...flow }: Flow) => [flow.name, { ...flow, if: clauses.map(({ text }) => text) }]),
  );
}
