/**
 * Finds flows whose name is probably misspelt: such a flow changes nothing, or is added beside the shipped flow that it
 * was meant to change.
 */
import type { RawFlow } from './flow-file.ts';
import type { Loading } from './loading.ts';
import { nearest, suggestion } from './nearest.ts';

const NEEDED = ['on', 'agent', 'skill'] as const;

/** Answers those of the operator's flows that can be read further; the others are reported. */
export function checkFlowNames(
  own: readonly RawFlow[],
  shipped: readonly RawFlow[],
  loading: Loading,
): RawFlow[] {
  const names = shipped.flatMap(({ name }) => name ?? []);
  const taken = new Set(own.map(({ name }) => name));
  return own.filter((flow) => {
    const { name, file } = flow;
    if (name === null || names.includes(name)) return true;
    const keys = flow.keys as Record<string, unknown>;
    // guard: a misspelt name of a flow
    if (NEEDED.every((key) => !(key in keys))) {
      loading.problems.push({
        file,
        path: `${name}.name`,
        value: JSON.stringify(name),
        problem: 'there is no shipped flow of that name to change',
        remedy: `Correct the name, or give the flow ${NEEDED.join(', ')} of its own. ${suggestion(name, names)}`,
      });
      return false;
    }
    const near = nearest(name, names, 2);
    if (near !== null && !taken.has(near)) {
      loading.warnings.push(
        `${file}: ${name}.name: is nearly the name of the shipped flow ${near}, which stays as it is beside this one. Write name: ${near} to change that one, or choose a name that differs more.`,
      );
    }
    return true;
  });
}
