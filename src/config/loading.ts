/** What one reading of the configuration gathers on its way. */
import type { ConfigProblem } from '../errors.ts';
import type { Environment } from './environment.ts';
import type { Sources } from './sources.ts';

export interface Loading {
  sources: Sources;
  env: Environment;
  problems: ConfigProblem[];
  warnings: string[];
}
