/** `.claude-hooks/setup.yaml` of a base branch: what its repository wants to be set up before agents run. Pure. */
import { ConfigError, type ConfigProblem } from '../errors.ts';
import { setupFileOptions } from './container-options.ts';
import { bytesOf } from './container-settings.ts';
import { validate } from './problems.ts';
import { tableOf } from './table.ts';
import { readYaml } from './yaml-text.ts';

export const SETUP_FILE = '.claude-hooks/setup.yaml';

export interface SetupFile {
  commands: readonly string[];
  lockFiles: readonly string[];
  keep: readonly string[];
  /** each null = the file says nothing of it */
  timeoutMs: number | null;
  memoryBytes: number | null;
  maxBytes: number | null;
}

const TABLE = tableOf(setupFileOptions);

export type ReadSetupFile = { kind: 'file'; file: SetupFile } | { kind: 'problem'; problem: string };

export function readSetupFile(text: string): ReadSetupFile {
  const yaml = readYaml(SETUP_FILE, text);
  if (yaml.kind === 'problems') return refused(yaml.problems);
  const problems: ConfigProblem[] = [];
  const subject = { file: SETUP_FILE, table: TABLE, value: yaml.value ?? {} };
  const found = validate(setupFileOptions, subject, (problem) => problems.push(problem));
  if (found === null) return refused(problems);
  return {
    kind: 'file',
    file: {
      commands: found.commands ?? [],
      lockFiles: found.lock_files ?? [],
      keep: found.keep ?? [],
      timeoutMs: found.timeout_minutes === undefined ? null : found.timeout_minutes * 60_000,
      memoryBytes: found.memory === undefined ? null : bytesOf(found.memory),
      maxBytes: found.max_bytes === undefined ? null : bytesOf(found.max_bytes),
    },
  };
}

function refused(problems: readonly ConfigProblem[]): ReadSetupFile {
  return { kind: 'problem', problem: new ConfigError(problems).message };
}
