/** CEL conditions: compiled once at load, split at top-level `&&` so that the clause that failed can be named alone. */
import { type ASTNode, Environment, ParseError, type ParseResult, serialize } from '@marcbachmann/cel-js';
import { CONDITION_ROOTS, unknownField } from './condition-fields.ts';
import { CONDITION_FUNCTIONS } from './condition-functions.ts';
import { typeProblem } from './condition-types.ts';
import type { Clause, ClauseResult, ConditionContext } from './config.ts';

export type Compiled =
  | { kind: 'clauses'; clauses: Clause[] }
  | { kind: 'wrong'; clause: string; problem: string; remedy: string };

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
    // guard: a condition is true or false
    const wrong = paths.map(unknownField).find((found) => found !== null) ?? typeProblem(clause, paths);
    if (wrong) return { kind: 'wrong', clause, ...wrong };
    clauses.push({ text: clause, paths, evaluate: (context) => evaluate(parsed, context) });
  }
  return { kind: 'clauses', clauses };
}

/**
 * The variables have no types here, because their values are plain objects; `condition-types.ts` checks types.
 */
function conditionEnvironment(): Environment {
  const environment = new Environment({ homogeneousAggregateLiterals: false });
  for (const root of CONDITION_ROOTS) environment.registerVariable(root, 'dyn');
  for (const { signature, run } of CONDITION_FUNCTIONS) environment.registerFunction(signature, run);
  return environment;
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

function conjuncts(node: ASTNode): ASTNode[] {
  return node.op === '&&' ? node.args.flatMap(conjuncts) : [node];
}

/** The longest dotted paths that begin at one of our variables. A variable that a macro binds is not ours. */
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
