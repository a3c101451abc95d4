/**
 * Whether a condition can be true or false at all, asked of CEL's own type checker. The environment that conditions run
 * in has no types, because there a field of the forge may be null, which CEL's typed objects do not allow.
 */
import { Environment } from '@marcbachmann/cel-js';
import { CONDITION_ROOTS, FIELDS, type FieldTree, type FieldType, kindAt } from './condition-fields.ts';
import { CONDITION_FUNCTIONS } from './condition-functions.ts';

const typed = typedEnvironment();

/** Null when the clause gives true or false, as far as the types tell. */
export function typeProblem(
  clause: string,
  paths: readonly string[],
): { problem: string; remedy: string } | null {
  const check = typed.check(clause);
  const kinds = paths.map((path) => `${path} is ${kindAt(path)}`).join(', ');
  if (!check.valid) {
    const problem = check.error?.summary ?? 'does not type-check';
    if (problem.startsWith('Unknown variable')) {
      return { problem, remedy: `It may name ${CONDITION_ROOTS.join(', ')}.` };
    }
    return {
      problem,
      remedy: `Compare values of one kind, and calculate with a decimal point (1.0)${kinds === '' ? '' : `: ${kinds}`}.`,
    };
  }
  if (check.type === 'bool' || check.type?.startsWith('dyn')) return null;
  return {
    problem: `gives ${check.type}, not true or false`,
    remedy: `Compare it with something, as in event.item.kind == 'pull'${kinds === '' ? '' : `: ${kinds}`}.`,
  };
}

function typedEnvironment(): Environment {
  const environment = new Environment({ homogeneousAggregateLiterals: false });
  const types = new Set<string>(['string', 'double', 'bool', 'list<string>']);
  for (const [root, below] of Object.entries(FIELDS)) {
    environment.registerVariable(root, typeName(environment, types, root, below));
  }
  for (const { signature, run } of CONDITION_FUNCTIONS) environment.registerFunction(signature, run);
  // As at run time, any field may be null, and a whole number may be written without a point.
  for (const type of types) environment.registerOperator(`${type} == null`, () => true);
  environment.registerOperator('double == int', () => true);
  environment.registerOperator('double in list<int>', () => true);
  return environment;
}

/** Registers the types of the fields first, because a type must be known before another one names it. */
function typeName(
  environment: Environment,
  types: Set<string>,
  path: string,
  below: FieldTree | FieldType,
): string {
  if (typeof below === 'string') return below;
  const fields = Object.fromEntries(
    Object.entries(below).map(([name, inside]) => [
      name,
      typeName(environment, types, `${path}_${name}`, inside),
    ]),
  );
  environment.registerType(path, { fields });
  types.add(path);
  return path;
}
