/** Whether a configuration that is not written yet will be accepted, secrets aside: read beside its place, then deleted. */
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isMap, parseDocument } from 'yaml';
import type { LoadedConfig } from '../config/config.ts';
import { readConfig } from '../config/load.ts';
import type { ConfigProblem } from '../errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export type Checked =
  | { kind: 'right'; config: LoadedConfig; warnings: readonly string[] }
  | { kind: 'wrong'; problems: readonly ConfigProblem[] };

const KEY = 'ANTHROPIC_API_KEY';

/** The secrets of `forge` may not be there yet, and the model's key need not be set while this runs. */
export function checkConfiguration(
  text: string,
  { file, forge, env }: { file: string; forge: string; env: Environment },
): Checked {
  const stand = standIn(text, forge);
  const trial = join(dirname(file), `.claude-hooks-init-${process.pid}.yaml`);
  const known = { [KEY]: 'not-set-yet', ...env, ...stand.env };
  writeFileSync(trial, stand.text, { mode: 0o600 });
  try {
    const { outcome } = readConfig({ file: trial, env: known });
    if (outcome.kind === 'loaded') {
      const warnings = outcome.config.warnings.map((warning) => warning.replaceAll(trial, file));
      return { kind: 'right', config: outcome.config, warnings };
    }
    return { kind: 'wrong', problems: outcome.error.problems.map((one) => named(one, { trial, file })) };
  } finally {
    rmSync(trial, { force: true });
  }
}

/** Files of secrets become variables, each with a value of its own, because equal secrets are refused. */
function standIn(text: string, forge: string): { text: string; env: Record<string, string> } {
  const document = parseDocument(text);
  const env: Record<string, string> = {};
  const set = (path: string[]) => {
    const variable = `CLAUDE_HOOKS_INIT_${Object.keys(env).length}`;
    env[variable] = `stands-in-for-${path.join('-')}`;
    document.setIn(path, `\${${variable}}`);
  };
  const at = ['forges', forge];
  if (document.hasIn([...at, 'webhook_secret_file'])) {
    document.deleteIn([...at, 'webhook_secret_file']);
    set([...at, 'webhook_secret']);
  }
  const accounts: unknown = document.getIn([...at, 'accounts']);
  for (const { key } of isMap(accounts) ? accounts.items : []) {
    const account = [...at, 'accounts', String(key)];
    if (!document.hasIn([...account, 'token_file'])) continue;
    document.deleteIn([...account, 'token_file']);
    set([...account, 'token']);
  }
  return { text: document.toString({ lineWidth: 0 }), env };
}

/** Lines are those of the stand-in, which is laid out anew. */
function named(problem: ConfigProblem, { trial, file }: { trial: string; file: string }): ConfigProblem {
  if (problem.file !== trial) return problem;
  const { line: _, ...rest } = problem;
  return { ...rest, file };
}
