/** CEL conditions: compiled once at load, split at top-level `&&` so that the clause that failed can be named alone. */
import { type ASTNode, Environment, ParseError, type ParseResult, serialize } from '@marcbachmann/cel-js';
import { CONDITION_ROOTS, unknownField } from './condition-fields.ts';
import type { Clause, ClauseResult, ConditionContext } from './config.ts';

export type Compiled =
  | { kind: 'clauses'; clauses: Clause[] }
  | { kind: 'wrong'; clause: string; problem: string; remedy: string };

/** Functions beside CEL's own, for documents. */
export const CONDITION_FUNCTIONS = [
  {
    call: 'sameLogin(a, b)',
    meaning: 'the two logins are the same account; upper and lower case do not matter',
  },
  { call: 'hasLogin(list, login)', meaning: 'the list of logins has this account in it' },
] as const;

const cel = conditionEnvironment();

export function compileCondition(text: string): Compiled {
  const whole = parse(text);
  if ('problem' in whole) return { kind: 'wrong', clause: text, ...whole };
  const clauses: Clause[] = [];
  const parts = conjuncts(whole.ast);
  for (const part of parts) {
    const clause = parts.length === 1 ? text.trim() : serialize(part);
    const parsed = parse(clause);
    if ('problem' in parsed) return { kind: 'wrong', clause, ...parsed };
    const paths = [...new Set(pathsIn(part))];
    const wrong = paths.map(unknownField).find((found) => found !== null) ?? typeProblem(parsed);
    if (wrong) return { kind: 'wrong', clause, ...wrong };
    clauses.push({ text: clause, paths, evaluate: (context) => evaluate(parsed, context) });
  }
  return { kind: 'clauses', clauses };
}

function conditionEnvironment(): Environment {
  const environment = new Environment({ homogeneousAggregateLiterals: false });
  for (const root of CONDITION_ROOTS) environment.registerVariable(root, 'dyn');
  environment.registerFunction('sameLogin(dyn, dyn): bool', sameLogin);
  environment.registerFunction(
    'hasLogin(dyn, dyn): bool',
    (list: unknown, login: unknown) => Array.isArray(list) && list.some((entry) => sameLogin(entry, login)),
  );
  return environment;
}

function sameLogin(a: unknown, b: unknown): boolean {
  return typeof a === 'string' && typeof b === 'string' && a.toLowerCase() === b.toLowerCase();
}

function parse(text: string): ParseResult | { problem: string; remedy: string } {
  try {
    return cel.parse(text);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const column = error.range === undefined ? '' : ` at column ${error.range.start + 1}`;
    return {
      problem: `is not a CEL expression: ${error.summary}${column}`,
      remedy: 'Correct the expression.',
    };
  }
}

function typeProblem(parsed: ParseResult): { problem: string; remedy: string } | null {
  const check = parsed.check();
  if (!check.valid) {
    return {
      problem: check.error?.summary ?? 'does not type-check',
      remedy: `It may name ${CONDITION_ROOTS.join(', ')}.`,
    };
  }
  if (check.type === 'bool' || check.type?.startsWith('dyn')) return null;
  return { problem: `gives ${check.type}, not true or false`, remedy: 'Compare it with something.' };
}

function conjuncts(node: ASTNode): ASTNode[] {
  return node.op === '&&' ? node.args.flatMap(conjuncts) : [node];
}

/** The longest dotted paths from our variables; a variable bound by a macro is none of ours. */
function pathsIn(node: ASTNode): string[] {
  const path = dottedPath(node);
  if (path !== null) return CONDITION_ROOTS.includes(path.split('.')[0]!) ? [path] : [];
  return childrenOf(node.args).flatMap(pathsIn);
}

function dottedPath(node: ASTNode): string | null {
  if (node.op === 'id') return node.args;
  if (node.op !== '.') return null;
  const target = dottedPath(node.args[0]);
  return target === null ? null : `${target}.${node.args[1]}`;
}

function childrenOf(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(childrenOf);
  return typeof args === 'object' && args !== null && 'op' in args ? [args as ASTNode] : [];
}

function evaluate(parsed: ParseResult, context: ConditionContext): ClauseResult {
  try {
    const value: unknown = parsed(context);
    if (value === true) return { kind: 'holds' };
    if (value === false) return { kind: 'fails' };
    return {
      kind: 'error',
      error: `gave ${value === null ? 'null' : `a ${typeof value}`}, not true or false`,
    };
  } catch (error) {
    return { kind: 'error', error: (error as { summary?: string }).summary ?? (error as Error).message };
  }
}
