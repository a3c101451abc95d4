/**
 * The fields that a condition may name. The tables stay complete: a new field of ForgeEvent does not compile until it
 * is listed here.
 */
import type { ConditionContext } from './config.ts';
import { suggestion } from './nearest.ts';

/** CEL's name of a type. CEL gets every number of ours as a double. */
export type FieldType = 'string' | 'double' | 'bool' | 'list<string>';
type TypeOf<T> = T extends string
  ? 'string'
  : T extends number
    ? 'double'
    : T extends boolean
      ? 'bool'
      : T extends readonly string[]
        ? 'list<string>'
        : Fields<T>;
type Fields<T> = { readonly [K in keyof T]-?: TypeOf<NonNullable<T[K]>> };
export interface FieldTree {
  readonly [name: string]: FieldTree | FieldType;
}

const user = { id: 'double', login: 'string' } as const;

export const FIELDS: Fields<ConditionContext> = {
  event: {
    name: 'string',
    forge: 'string',
    repository: {
      id: 'string',
      fullName: 'string',
      defaultBranch: 'string',
      cloneUrl: 'string',
      htmlUrl: 'string',
      private: 'bool',
    },
    item: {
      kind: 'string',
      number: 'double',
      title: 'string',
      body: 'string',
      state: 'string',
      htmlUrl: 'string',
      author: user,
      labels: 'list<string>',
      assignees: 'list<string>',
    },
    sender: user,
    pull: {
      headSha: 'string',
      headRef: 'string',
      headRepository: 'string',
      baseRef: 'string',
      baseSha: 'string',
      merged: 'bool',
      draft: 'bool',
      fork: 'bool',
      requestedReviewers: 'list<string>',
    },
    comment: { id: 'double', body: 'string', htmlUrl: 'string', author: user },
    review: { verdict: 'string', body: 'string' },
    ci: { status: 'string', workflow: 'string', headSha: 'string', htmlUrl: 'string' },
    push: { ref: 'string', before: 'string', after: 'string' },
    requestedReviewer: 'string',
    mentions: 'list<string>',
    added: { assignees: 'list<string>', labels: 'list<string>' },
    occurredAt: 'string',
    semanticKey: 'string',
  },
  agent: { name: 'string', login: 'string' },
  conversation: { exists: 'bool', dispatches: 'double', branch: 'string', itemNumber: 'double' },
  sender: { login: 'string', agent: 'string', person: 'bool' },
  agents: 'list<string>',
  decision: { act: 'string', row: 'string', author: 'string', ci: 'string', reviewers: 'list<string>' },
};

export const CONDITION_ROOTS = Object.keys(FIELDS);

/** null when the path exists, else what is wrong and what to write. */
export function unknownField(path: string): { problem: string; remedy: string } | null {
  let tree: FieldTree | FieldType = FIELDS;
  const seen: string[] = [];
  for (const name of path.split('.')) {
    if (typeof tree === 'string') return null;
    if (!Object.hasOwn(tree, name)) {
      const where = seen.join('.');
      return { problem: `${where} has no field "${name}"`, remedy: suggestion(name, Object.keys(tree)) };
    }
    tree = tree[name]!;
    seen.push(name);
  }
  return null;
}

/** Every path, for documents. */
export function conditionPaths(tree: FieldTree = FIELDS, prefix = ''): string[] {
  return Object.entries(tree).flatMap(([name, below]) =>
    typeof below === 'string' ? [`${prefix}${name}`] : conditionPaths(below, `${prefix}${name}.`),
  );
}

const KINDS: Readonly<Record<FieldType, string>> = {
  string: 'a text',
  double: 'a number',
  bool: 'true or false',
  'list<string>': 'a list of texts',
};

/** The kind of value at a path, in words for people. */
export function kindAt(path: string): string {
  let tree: FieldTree | FieldType | undefined = FIELDS;
  for (const name of path.split('.')) tree = typeof tree === 'object' ? tree[name] : undefined;
  return typeof tree === 'string' ? KINDS[tree] : 'a group of fields';
}
