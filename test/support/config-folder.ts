/** A folder with a small right configuration, to be made wrong by a test. Disposed of with `using`. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import { ConfigError, type ConfigProblem } from '../../src/errors.ts';

export const SMALL_CONFIG = `model:
  api_key: \${MODEL_KEY}
container: { engine: process }
forges:
  home:
    kind: forgejo
    url: https://forge.example.org/
    webhook_secret: \${HOOK_SECRET}
    repositories: [team/shop, other/*]
    accounts:
      dev: { login: dev-bot, token: "\${DEV_TOKEN}" }
      reviewer: { login: review-bot, token: "\${REVIEW_TOKEN}" }
`;

export const SMALL_ENV: Readonly<Record<string, string>> = {
  MODEL_KEY: 'model-key-value',
  HOOK_SECRET: 'hook-secret-value',
  DEV_TOKEN: 'dev-token-value',
  REVIEW_TOKEN: 'review-token-value',
};

export class ConfigFolder {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), 'claude-hooks-config-')));
  readonly file = join(this.path, 'claude-hooks.yaml');
  readonly env: Readonly<Record<string, string>>;

  /** files by relative path; without claude-hooks.yaml the small one is written */
  constructor(files: Record<string, string> = {}, env: Readonly<Record<string, string>> = SMALL_ENV) {
    this.env = env;
    this.write({ 'claude-hooks.yaml': SMALL_CONFIG, ...files });
  }

  write(files: Record<string, string>): void {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.path, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
  }

  load() {
    return loadConfig({ file: this.file, env: this.env });
  }

  /** The problems, with paths relative to the folder. Throws when there are none. */
  problems(): ConfigProblem[] {
    try {
      this.load();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems.map((problem) => ({
        ...problem,
        file: problem.file.replace(`${this.path}/`, ''),
      }));
    }
    throw new Error('The configuration was accepted.');
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
