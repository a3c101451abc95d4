/** What one reading of the configuration gathers on its way. */
import type { ConfigProblem } from '../errors.ts';
import type { Environment } from './environment.ts';
import type { Sources } from './sources.ts';
import type { LineOf } from './yaml-text.ts';

export interface Loading {
  sources: Sources;
  env: Environment;
  problems: ConfigProblem[];
  warnings: string[];
  /** by file, what was found on which line */
  lines: Map<string, LineOf>;
  /** files of the partials of skills, by name */
  partials: Map<string, string>;
  /** folder of what this release brings */
  shipped: string;
}

/** A problem is told with its path; the line is found here, once, for all of them. */
export function withLines({ problems, lines }: Pick<Loading, 'problems' | 'lines'>): ConfigProblem[] {
  return problems.map((problem) => {
    const line = problem.line ?? lines.get(problem.file)?.(pathOf(problem.path));
    return line == null ? problem : { ...problem, line };
  });
}

function pathOf(dotted: string): (string | number)[] {
  return [...dotted.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([text, index]) =>
    index === undefined ? text : Number(index),
  );
}
