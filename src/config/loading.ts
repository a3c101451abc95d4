/** What one reading of the configuration collects. */
import type { ConfigProblem } from '../errors.ts';
import type { Environment } from './environment.ts';
import type { Sources } from './sources.ts';
import type { LineOf } from './yaml-text.ts';

export interface Loading {
  sources: Sources;
  env: Environment;
  problems: ConfigProblem[];
  warnings: string[];
  /** for each file, the function that finds the line of a path in it */
  lines: Map<string, LineOf>;
  /** files of the partials of skills, by name */
  partials: Map<string, string>;
  /** folder of the files that come with this release */
  shipped: string;
}

/** Adds its line to each problem, found by the problem's path; done here once for all problems. */
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
