/**
 * What happens to the values of claude-hooks.yaml before they are validated: variables are put in, `<key>_file` is
 * read into `<key>`, keys without a value are dropped, and secrets typed into the file are warned about.
 */
import { resolve } from 'node:path';
import type { ConfigProblem } from '../errors.ts';
import { type Environment, expand } from './environment.ts';
import type { Sources } from './sources.ts';
import { childNode, dotted, mayHoldSecret, type Path, type TableNode } from './table.ts';
import type { LineOf } from './yaml-text.ts';

export interface Preparation {
  file: string;
  /** folder that relative `_file` paths start from */
  folder: string;
  env: Environment;
  sources: Sources;
  problems: ConfigProblem[];
  warnings: string[];
  lines: Map<string, LineOf>;
  partials: Map<string, string>;
  /** folder of the files that come with this release */
  shipped: string;
  /** dotted path → text as written, for values that had variables in them */
  templates: Map<string, string>;
  /** dotted paths that already have a problem */
  reported: Set<string>;
}

export function prepare(value: unknown, node: TableNode | undefined, path: Path, to: Preparation): unknown {
  if (typeof value === 'string') return prepareText(value, node, path, to);
  if (Array.isArray(value)) {
    const items = node?.['x-secret'] ? node : childNode(node, 0);
    return value.map((entry, index) => prepare(entry, items, [...path, index], to));
  }
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(value)) {
    // `server:` with nothing after it means "nothing set here".
    if (entry === null) continue;
    const base = key.replace(/_file$/, '');
    if (base !== key && childNode(node, key) === undefined && childNode(node, base)?.['x-secret']) {
      result[base] = fromFile({ base, paths: entry, beside: value, path: [...path, base] }, to);
    } else if (!(key in result)) {
      result[key] = prepare(entry, childNode(node, key), [...path, key], to);
    }
  }
  return result;
}

function prepareText(text: string, node: TableNode | undefined, path: Path, to: Preparation): unknown {
  const at = dotted(path);
  const expansion = expand(text, to.env);
  if (expansion.kind === 'plain') {
    if (node?.['x-secret'] && holdsSecret(expansion.text)) {
      to.warnings.push(
        `${to.file}: ${at}: the secret stands in the file itself. Write \${VARIABLE} or use ${keyOf(path)}_file.`,
      );
    }
    return expansion.text;
  }
  if (expansion.kind === 'expanded') {
    to.templates.set(at, text);
    return typed(expansion.text, node);
  }
  to.reported.add(at);
  to.problems.push({
    file: to.file,
    path: at,
    // The text around the reference may hold a password, as in a database address.
    value: mayHoldSecret(node) ? (/\$\{[A-Za-z0-9_]*\}/.exec(text)?.[0] ?? '[redacted]') : text,
    ...(expansion.kind === 'unset'
      ? {
          problem: `the environment variable ${expansion.variable} is not set`,
          remedy: node?.['x-secret']
            ? `Set ${expansion.variable} for the service, or use ${keyOf(path)}_file: <path>.`
            : `Set ${expansion.variable} for the service, or write \${${expansion.variable}:-a default}.`,
        }
      : {
          problem: 'a variable is not written correctly',
          remedy: `Write \${NAME} or \${NAME:-a default}; $\${ stands for a literal \${.`,
        }),
  });
  return text;
}

interface SecretFile {
  base: string;
  paths: unknown;
  beside: object;
  path: Path;
}

function fromFile({ base, paths, beside, path }: SecretFile, to: Preparation): unknown {
  const at = dotted(path);
  const fail = (value: string | null, problem: string, remedy: string): string => {
    to.reported.add(at);
    to.problems.push({ file: to.file, path: `${at}_file`, value, problem, remedy });
    return '';
  };
  if ((beside as Record<string, unknown>)[base] != null) {
    return fail(null, `${base} is set as well`, `Keep either ${base} or ${base}_file.`);
  }
  const texts = [paths].flat().map((written): string => {
    const expanded = typeof written === 'string' ? expand(written, to.env) : null;
    if (expanded === null || !('text' in expanded) || expanded.text === '') {
      return fail(null, 'expected the path of a file', `Set ${base}_file to a path, relative to ${to.file}.`);
    }
    const text = to.sources.text(resolve(to.folder, expanded.text));
    if (text === null) {
      const problem = `cannot be read: it ${to.sources.trouble(resolve(to.folder, expanded.text))}`;
      return fail(expanded.text, problem, 'Create the file, or let the service read it.');
    }
    const secret = text.replace(/[\r\n]+$/, '');
    return secret === '' ? fail(expanded.text, 'is empty', 'Put the secret into the file.') : secret;
  });
  return Array.isArray(paths) ? texts : texts[0];
}

/** `${PORT}` is a text; where the table wants a number or a boolean, the text is made into one. */
function typed(text: string, node: TableNode | undefined): unknown {
  if ((node?.type === 'integer' || node?.type === 'number') && /^-?\d+(\.\d+)?$/.test(text))
    return Number(text);
  if (node?.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

/** A database address is only secret when it carries a password. */
function holdsSecret(text: string): boolean {
  return /^(sqlite:|[a-z]+:\/\/)/.test(text) ? passwordIn(text) !== null : true;
}

/** The password part of an address, as written. */
export function passwordIn(address: string): string | null {
  return /^[a-z]+:\/\/[^/@]*?:([^@]+)@/.exec(address)?.[1] ?? null;
}

function keyOf(path: Path): string {
  return String(path.findLast((key) => typeof key === 'string'));
}
