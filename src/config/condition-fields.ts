/** What a condition may name. The compiler keeps these tables complete: a new field of ForgeEvent fails here first. */
import type { ConditionContext } from './config.ts';
import { suggestion } from './nearest.ts';

type Plain = string | number | boolean | readonly unknown[];
type Fields<T> = { [K in keyof T]-?: NonNullable<T[K]> extends Plain ? null : Fields<NonNullable<T[K]>> };
interface FieldTree {
  [name: string]: FieldTree | null;
}

const user = { id: null, login: null };

const FIELDS: Fields<ConditionContext> = {
  event: {
    name: null,
    forge: null,
    repository: {
      id: null,
      fullName: null,
      defaultBranch: null,
      cloneUrl: null,
      htmlUrl: null,
      private: null,
    },
    item: {
      kind: null,
      number: null,
      title: null,
      body: null,
      state: null,
      htmlUrl: null,
      author: user,
      labels: null,
      assignees: null,
    },
    sender: user,
    pull: {
      headSha: null,
      headRef: null,
      headRepository: null,
      baseRef: null,
      baseSha: null,
      merged: null,
      draft: null,
      fork: null,
      requestedReviewers: null,
    },
    comment: { id: null, body: null, htmlUrl: null, author: user },
    review: { verdict: null, body: null },
    ci: { status: null, workflow: null, headSha: null, htmlUrl: null },
    push: { ref: null, before: null, after: null },
    requestedReviewer: null,
    mentions: null,
    added: { assignees: null, labels: null },
    occurredAt: null,
    semanticKey: null,
  },
  agent: { name: null, login: null },
  conversation: { exists: null, dispatches: null, branch: null, itemNumber: null },
  sender: { login: null, agent: null, person: null },
  agents: null,
};

export const CONDITION_ROOTS = Object.keys(FIELDS);

/** null when the path exists, else what is wrong and what to write. */
export function unknownField(path: string): { problem: string; remedy: string } | null {
  let tree: FieldTree | null = FIELDS as unknown as FieldTree;
  const seen: string[] = [];
  for (const name of path.split('.')) {
    if (tree === null) return null;
    if (!Object.hasOwn(tree, name)) {
      const where = seen.join('.');
      return { problem: `${where} has no field "${name}"`, remedy: suggestion(name, Object.keys(tree)) };
    }
    tree = tree[name] ?? null;
    seen.push(name);
  }
  return null;
}

/** Every path, for documents. */
export function conditionPaths(tree: object = FIELDS, prefix = ''): string[] {
  return Object.entries(tree).flatMap(([name, below]) =>
    below === null ? [`${prefix}${name}`] : conditionPaths(below, `${prefix}${name}.`),
  );
}
