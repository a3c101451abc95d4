/**
 * Reads claude-hooks.yaml and the folders beside it. Either everything is right, or all problems are reported at once.
 */
import { dirname, join, resolve } from 'node:path';
import { ConfigError, type ConfigProblem } from '../errors.ts';
import { withoutAbsent } from './absent-agents.ts';
import type { AgentDefaults } from './agent-file.ts';
import { assemble } from './assemble.ts';
import type { Version } from './changes.ts';
import type { LoadedConfig } from './config.ts';
import { containerOptions } from './container-options.ts';
import type { Environment } from './environment.ts';
import { checkConditionFields, checkSkillFields } from './flow-events.ts';
import { folderOf, readAgents, readFlowFolder, readSkills } from './folders.ts';
import { withLines } from './loading.ts';
import { networkSettings } from './network-settings.ts';
import { type Options, options } from './options.ts';
import { packageFolder } from './package-folder.ts';
import { type Preparation, prepare } from './prepare.ts';
import { validate } from './problems.ts';
import { checkReachedDirectly } from './reached-directly.ts';
import { checkAccounts, checkFlowReferences, checkMcpServers, checkUnused } from './references.ts';
import { Sources } from './sources.ts';
import { tableOf } from './table.ts';
import { readYaml } from './yaml-text.ts';

export interface ConfigRequest {
  /** claude-hooks.yaml; relative to the working folder */
  file: string;
  env: Environment;
}

export interface ConfigReading {
  outcome: ({ kind: 'loaded' } & Version) | { kind: 'rejected'; error: ConfigError };
  /** folders that were read or looked for */
  folders: string[];
  /** Whether the files still have the same texts; much cheaper than loading the configuration again. */
  isCurrent(): boolean;
}

export const OPTION_TABLE = tableOf(options);
const SHIPPED = join(packageFolder(), 'defaults');

/** Throws ConfigError with every problem found. */
export function loadConfig(request: ConfigRequest): LoadedConfig {
  const { outcome } = readConfig(request);
  if (outcome.kind === 'rejected') throw outcome.error;
  return outcome.config;
}

export function readConfig(request: ConfigRequest): ConfigReading {
  const file = resolve(request.file);
  const sources = new Sources();
  const preparation: Preparation = {
    file,
    folder: dirname(file),
    env: request.env,
    sources,
    problems: [],
    warnings: [],
    lines: new Map(),
    partials: new Map(),
    shipped: SHIPPED,
    templates: new Map(),
    reported: new Set(),
  };
  const found = read(preparation);
  const outcome: ConfigReading['outcome'] =
    found === null
      ? { kind: 'rejected', error: new ConfigError(withLines(preparation)) }
      : { kind: 'loaded', ...found, texts: sources.texts };
  return { outcome, folders: [...sources.folders], isCurrent: () => sources.isCurrent() };
}

function read(preparation: Preparation): Pick<Version, 'config' | 'options'> | null {
  const { file, folder, problems } = preparation;
  const raw = readMainFile(preparation);
  if (raw === null) return null;
  const found = validate<Options>(
    options,
    {
      file,
      table: OPTION_TABLE,
      value: raw,
      templates: preparation.templates,
      reported: preparation.reported,
    },
    (problem) => problems.push(problem),
  );
  const where = (kind: 'agents' | 'flows' | 'skills') =>
    folderOf({ kind, setting: raw[kind], file, base: folder, defaults: SHIPPED }, preparation);
  const agents = readAgents(where('agents'), agentDefaults(found, folder), preparation);
  const skills = readSkills(where('skills'), preparation);
  const flows = readFlowFolder(where('flows'), preparation);
  const named = { agents: agents.names, skills: skills.names };
  checkFlowReferences(flows, named, preparation);
  // guard: a field that the event never has
  checkConditionFields(flows, preparation);
  checkUnused({ agents: agents.valid, skills: skills.valid, flows }, preparation);
  // guard: a field that no event of a skill has
  checkSkillFields(flows, skills.reads, preparation);
  if (found === null) return null;
  const network = networkSettings(found.network, preparation);
  // guard: egress: nothing through a proxy
  checkReachedDirectly(agents.valid, network, preparation);
  checkMcpServers(agents.valid, Object.keys(found.mcp_servers), preparation);
  const team = withoutAbsent({ agents: agents.valid, flows, forges: found.forges, shipped: SHIPPED });
  checkAccounts({ file, forges: found.forges, flows: team.flows }, named, preparation);
  if (problems.length > 0) return null;
  const parts = { ...team, skills: skills.valid, network };
  return { config: assemble(found, parts, preparation), options: found };
}

function readMainFile(preparation: Preparation): Record<string, unknown> | null {
  const { file, problems } = preparation;
  const text = preparation.sources.text(file);
  if (text === null) {
    const remedy = 'Create it, let this user read it, or name another file with --config.';
    const problem = `cannot be read: it ${preparation.sources.trouble(file)}`;
    problems.push({ file, path: '', value: null, problem, remedy });
    return null;
  }
  if (text.trim() === '') {
    const remedy = 'Write the configuration into it; README.md has a small one.';
    problems.push({ file, path: '', value: null, problem: 'is empty', remedy });
    return null;
  }
  const yaml = readYaml(file, text);
  if (yaml.kind === 'problems') {
    problems.push(...yaml.problems);
    return null;
  }
  preparation.lines.set(file, yaml.lineOf);
  const raw = prepare(yaml.value ?? {}, OPTION_TABLE, [], preparation);
  if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return raw as Record<string, unknown>;
  problems.push(notAMapping(file));
  return null;
}

function notAMapping(file: string): ConfigProblem {
  const remedy = 'Write keys and values, as in docs/configuration.md.';
  return { file, path: '', value: null, problem: 'is not a mapping', remedy };
}

/**
 * When the main file is wrong, agents are still read to report their own problems; what they inherit is a placeholder
 * then.
 */
function agentDefaults(found: Options | null, folder: string): AgentDefaults {
  return {
    folder,
    container: found?.container ?? containerOptions.parse(undefined),
    packages: found?.packages.policy ?? 'off',
    model: found?.model.default ?? '',
    quietSeconds: found?.mailbox.quiet_seconds ?? 0,
    maxWaitSeconds: found?.mailbox.max_wait_seconds ?? 0,
  };
}
