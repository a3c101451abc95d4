/**
 * Reads an option table back from its Zod schema: what each key expects, which keys are secrets, what exists below a
 * path. The published schema and this file both use Zod's JSON Schema, so they cannot disagree.
 */
import { z } from 'zod';

/** The subset of JSON Schema our tables produce, plus our `x-` notes (kept by `.meta()`). */
export interface TableNode {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  properties?: Record<string, TableNode>;
  required?: string[];
  additionalProperties?: TableNode | boolean;
  items?: TableNode;
  anyOf?: TableNode[];
  /** the value never appears in a message, and `<key>_file` is accepted in its place */
  'x-secret'?: boolean;
  /** words for the expected value, where the JSON type says too little */
  'x-expects'?: string;
  /** name of the free keys of a mapping in documents */
  'x-key'?: string;
}

export type Path = readonly (string | number)[];

export function tableOf(schema: z.ZodType): TableNode {
  return z.toJSONSchema(schema, { io: 'input' }) as TableNode;
}

export function childNode(node: TableNode | undefined, key: string | number): TableNode | undefined {
  if (node === undefined) return undefined;
  if (typeof key === 'number') return node.items ?? node.anyOf?.find((branch) => branch.items)?.items;
  const named = node.properties?.[key] ?? node.anyOf?.find((branch) => branch.properties)?.properties?.[key];
  if (named !== undefined) return named;
  return typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
}

export function nodeAt(root: TableNode, path: Path): TableNode | undefined {
  let node: TableNode | undefined = root;
  for (const key of path) node = childNode(node, key);
  return node;
}

/** True when a value at this node, or anywhere below it, may be a secret. */
export function mayHoldSecret(node: TableNode | undefined): boolean {
  if (node === undefined) return false;
  if (node['x-secret']) return true;
  const below = [
    ...Object.values(node.properties ?? {}),
    ...(typeof node.additionalProperties === 'object' ? [node.additionalProperties] : []),
  ];
  return below.some(mayHoldSecret);
}

/** `forges.home.repositories[0]` */
export function dotted(path: Path): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join('');
}

/** What is expected at this node, in words that fit after "expected" and after "Set it to". */
export function expectation(node: TableNode | undefined): string {
  if (node === undefined) return 'another value';
  if (node['x-expects']) return node['x-expects'];
  if (node.const !== undefined) return `"${node.const}" (the only choice)`;
  if (node.enum)
    return node.enum.length === 1 ? `"${node.enum[0]}" (the only choice)` : `one of ${node.enum.join(', ')}`;
  if (node.anyOf) return node.anyOf.map(expectation).join(' or ');
  if (node.type === 'integer' || node.type === 'number') return numberExpectation(node);
  if (node.type === 'boolean') return 'true or false';
  if (node.type === 'string') return 'a non-empty text';
  if (node.type === 'array')
    return `${node.minItems ? 'a non-empty list' : 'a list'} of ${listed(node.items)}`;
  if (node.properties) return `a mapping with the keys ${Object.keys(node.properties).join(', ')}`;
  return 'a mapping';
}

function numberExpectation(node: TableNode): string {
  const kind = node.type === 'integer' ? 'a whole number' : 'a number';
  // Zod writes the safe-integer bounds where the table gives none.
  const high = node.maximum === undefined || node.maximum >= Number.MAX_SAFE_INTEGER ? null : node.maximum;
  const low = node.minimum ?? 0;
  return high === null ? `${kind} of at least ${low}` : `${kind} from ${low} to ${high}`;
}

function listed(items: TableNode | undefined): string {
  if (items?.['x-expects']) return `entries, each ${items['x-expects']}`;
  if (items?.enum) return `entries out of ${items.enum.join(', ')}`;
  return 'texts';
}
