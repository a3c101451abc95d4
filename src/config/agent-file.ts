/** One `agents/<name>.md`. */
import { basename } from 'node:path';
import { TOOLS_OUTSIDE } from '../vocabulary.ts';
import { type AgentOptions, agentOptions, CLAUDE_CODE_KEYS } from './agent-options.ts';
import type { AgentConfig } from './config.ts';
import { containerSettings } from './container-settings.ts';
import { readFrontMatter } from './front-matter.ts';
import type { Loading } from './loading.ts';
import type { Options } from './options.ts';
import { validate } from './problems.ts';
import { tableOf } from './table.ts';

export interface AgentDefaults {
  /** folder of claude-hooks.yaml, where relative mounts start */
  folder: string;
  container: Options['container'];
  model: string;
  quietSeconds: number;
  maxWaitSeconds: number;
}

const AGENT_TABLE = tableOf(agentOptions);

/** null when the file has a problem; it is reported. */
export function readAgent(
  file: string,
  text: string,
  defaults: AgentDefaults,
  loading: Loading,
): AgentConfig | null {
  const name = basename(file, '.md');
  const parts = readFrontMatter(file, text);
  if (parts.kind === 'problems') {
    loading.problems.push(...parts.problems);
    return null;
  }
  loading.lines.set(file, parts.lineOf);
  const subject = { file, table: AGENT_TABLE, value: withOurKeys(parts.matter) };
  const found = validate(agentOptions, subject, (problem) => loading.problems.push(problem));
  if (found === null) return null;
  if (found.name !== undefined && found.name !== name) {
    loading.problems.push({
      file,
      path: 'name',
      value: JSON.stringify(found.name),
      problem: 'is not the name of the file',
      remedy: `Rename the file to ${found.name}.md, or write name: ${name}.`,
    });
    return null;
  }
  const outside = toolNames(found.tools ?? []).find(isOutside);
  if (outside !== undefined) {
    loading.problems.push({
      file,
      path: 'tools',
      value: JSON.stringify(outside),
      problem: 'is a tool that fetches what is outside of the container, and no agent has it',
      remedy: `Take ${outside} out. What the agent should read belongs into the repository or onto the item.`,
    });
    return null;
  }
  return agentConfig({ name, file, instructions: parts.body.trim() }, found, defaults);
}

function agentConfig(
  base: { name: string; file: string; instructions: string },
  found: AgentOptions,
  defaults: AgentDefaults,
): AgentConfig {
  return {
    ...base,
    description: found.description,
    model: found.model === undefined || found.model === 'inherit' ? defaults.model : found.model,
    effort: found.effort ?? null,
    tools: found.tools === undefined ? null : toolNames(found.tools),
    disallowedTools: toolNames(found.disallowed_tools ?? []),
    maxTurns: found.max_turns ?? null,
    permissionMode: found.permission_mode,
    resume: found.resume,
    branchPrefix: found.branch_prefix ?? base.name,
    publish: found.publish,
    forge: {
      tools: found.forge_tools === undefined ? null : toolNames(found.forge_tools),
      scope: found.forge_scope,
      maxWrites: found.max_forge_writes,
    },
    workflowFiles: found.workflow_files,
    caps: {
      requests: found.max_run_requests ?? null,
      tokens: found.max_run_tokens ?? null,
      usd: found.max_run_usd ?? null,
    },
    container: containerSettings(found.container, defaults.container, defaults.folder),
    concurrency: found.concurrency,
    quietSeconds: found.quiet_seconds ?? defaults.quietSeconds,
    maxWaitSeconds: found.max_wait_seconds ?? defaults.maxWaitSeconds,
  };
}

/** `WebFetch(domain:example.org)` is one, too. */
function isOutside(tool: string): boolean {
  return TOOLS_OUTSIDE.some((name) => name === tool.split('(')[0]!.trim());
}

function withOurKeys(matter: unknown): unknown {
  if (typeof matter !== 'object' || matter === null || Array.isArray(matter)) return matter;
  return Object.fromEntries(
    Object.entries(matter)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [CLAUDE_CODE_KEYS[key] ?? key, value]),
  );
}

/** A comma inside parentheses belongs to the tool's own rule: `Bash(git add, git commit)`. */
function toolNames(tools: string | string[]): string[] {
  const list = typeof tools === 'string' ? tools.split(/,(?![^(]*\))/) : tools;
  return list.map((tool) => tool.trim()).filter((tool) => tool !== '');
}
