/** Zod's issues in our words: file, path, value, problem, remedy. */
import type { z } from 'zod';
import type { ConfigProblem } from '../errors.ts';
import { suggestion } from './nearest.ts';
import { dotted, expectation, mayHoldSecret, nodeAt, type Path, type TableNode } from './table.ts';

export interface Subject {
  file: string;
  table: TableNode;
  /** the value that was validated */
  value: unknown;
  /** put before every path, e.g. a flow's name */
  prefix?: string;
  /**
   * texts as they stand in the file, by dotted path, for values that had variables in them: a problem shows the text,
   * not the value
   */
  templates?: ReadonlyMap<string, string>;
  /** dotted paths that already have a problem */
  reported?: ReadonlySet<string>;
}

type Issue = z.core.$ZodIssue;

/** Validates and reports; null when there was a problem. */
export function validate<T>(
  schema: z.ZodType<T>,
  subject: Subject,
  report: (problem: ConfigProblem) => void,
): T | null {
  const parsed = schema.safeParse(subject.value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) for (const problem of problemsOf(issue, subject)) report(problem);
  return null;
}

function problemsOf(issue: Issue, subject: Subject): ConfigProblem[] {
  const path = issue.path as (string | number)[];
  if (subject.reported?.has(dotted(path))) return [];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey([...path, key], subject));
  }
  if (issue.code === 'invalid_union') {
    const inside = issueInside(issue, subject);
    if (inside.length > 0) return inside.flatMap((one) => problemsOf(one, subject));
  }
  const node = nodeAt(subject.table, path);
  const value = valueAt(subject.value, path);
  if (issue.code === 'custom' && typeof issue.params?.remedy === 'string') {
    return [problem(subject, path, null, issue.message, issue.params.remedy)];
  }
  const wanted = expectation(issue.code === 'invalid_key' ? keyNode(subject.table, path) : node);
  const about = node?.description ? ` ${node.description}` : '';
  if (value === undefined) {
    const file = node?.['x-secret'] ? `, or ${path.at(-1)}_file: <path>` : '';
    return [
      problem(subject, path, null, 'is missing', `Add ${path.at(-1) ?? 'it'}: ${wanted}${file}.${about}`),
    ];
  }
  if (issue.code === 'invalid_key') {
    const remedy = `Rename it: ${wanted}.`;
    return [problem(subject, path, JSON.stringify(path.at(-1)), 'is not a name we accept', remedy)];
  }
  const shown = show(value, path, subject, node);
  const otherwise =
    node?.default === undefined ? '' : `, or remove the line for ${JSON.stringify(node.default)}`;
  const what = path.length === 0 ? 'Make the file' : 'Set it to';
  return [problem(subject, path, shown, `expected ${wanted}`, `${what} ${wanted}${otherwise}.${about}`)];
}

/** For an entry that may be a text or a mapping: the issues inside of the mapping that was written. */
function issueInside(issue: Issue & { code: 'invalid_union' }, subject: Subject): Issue[] {
  const value = valueAt(subject.value, issue.path as Path);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const fitting = issue.errors.find((branch) =>
    branch.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys'),
  );
  return (fitting ?? []).map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }) as Issue);
}

function unknownKey(path: Path, subject: Subject): ConfigProblem {
  const node = nodeAt(subject.table, path.slice(0, -1));
  const properties = node?.properties ?? node?.anyOf?.find((branch) => branch.properties)?.properties;
  const known = Object.entries(properties ?? {}).flatMap(([key, child]) =>
    child['x-secret'] ? [key, `${key}_file`] : [key],
  );
  const remedy = `Correct or remove it. ${suggestion(String(path.at(-1)), known)}`.trim();
  return problem(subject, path, null, 'is not a key we know', remedy);
}

function problem(
  subject: Subject,
  path: Path,
  value: string | null,
  text: string,
  remedy: string,
): ConfigProblem {
  const full = [subject.prefix, dotted(path)].filter(Boolean).join('.').replaceAll('.[', '[');
  return { file: subject.file, path: full, value, problem: text, remedy };
}

function show(value: unknown, path: Path, subject: Subject, node: TableNode | undefined): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'a mapping';
  // A token may be typed one level too high (`accounts: { dev: <token> }`), so values above a secret are redacted,
  // too.
  if (mayHoldSecret(node)) return '[redacted]';
  return shorten(subject.templates?.get(dotted(path)) ?? JSON.stringify(value));
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Record<string | number, unknown>)[key];
  }
  return current;
}

function keyNode(table: TableNode, path: Path): TableNode | undefined {
  return (nodeAt(table, path.slice(0, -1)) as { propertyNames?: TableNode } | undefined)?.propertyNames;
}
