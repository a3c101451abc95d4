/** One `agents/<name>.md`. */
import { basename } from 'node:path';
import type { ConfigProblem } from '../errors.ts';
import { FORGE_TOOLS, MORE_TOOLS, toolOfRule, USUAL_TOOLS } from '../vocabulary.ts';
import { type AgentOptions, agentOptions, CLAUDE_CODE_KEYS } from './agent-options.ts';
import type { AgentConfig } from './config.ts';
import { containerSettings } from './container-settings.ts';
import { readFrontMatter } from './front-matter.ts';
import type { Loading } from './loading.ts';
import { suggestion } from './nearest.ts';
import type { Options } from './options.ts';
import { validate } from './problems.ts';
import { tableOf } from './table.ts';

export interface AgentDefaults {
  /** folder of claude-hooks.yaml, where relative mounts start */
  folder: string;
  container: Options['container'];
  packages: Options['packages']['policy'];
  model: string;
  quietSeconds: number;
  maxWaitSeconds: number;
}

const AGENT_TABLE = tableOf(agentOptions);

/** Null when the file has a problem; the problem has been reported. */
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
  const refused = toolNames(found.tools ?? []).find((tool) => !isToHave(tool));
  // guard: model: tools that fetch, in an agent’s file
  if (refused !== undefined) {
    loading.problems.push({ file, path: 'tools', value: JSON.stringify(refused), ...whyRefused(refused) });
    return null;
  }
  const unknown = unknownTools(found);
  loading.problems.push(...unknown.map((problem) => ({ file, ...problem })));
  // guard: names of forge tools
  if (unknown.length > 0) return null;
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
    reviewLabels: found.review_labels,
    forge: {
      tools: found.forge_tools === undefined ? null : toolNames(found.forge_tools),
      scope: found.forge_scope,
      maxWrites: found.max_forge_writes,
    },
    workflowFiles: found.workflow_files,
    networkInRestrictedRuns: found.network_in_restricted_runs,
    mcpServers: [...new Set(found.mcp_servers ?? [])],
    mcpInRestrictedRuns: found.mcp_in_restricted_runs,
    caps: {
      requests: found.max_run_requests ?? null,
      tokens: found.max_run_tokens ?? null,
      usd: found.max_run_usd ?? null,
    },
    container: containerSettings(found.container, defaults.container, {
      folder: defaults.folder,
      policy: defaults.packages,
    }),
    concurrency: found.concurrency,
    quietSeconds: found.quiet_seconds ?? defaults.quietSeconds,
    maxWaitSeconds: found.max_wait_seconds ?? defaults.maxWaitSeconds,
  };
}

/** Names of forge tools that do not exist, and of MCP servers that the agent does not have. What those offer is not known here. */
function unknownTools(found: AgentOptions): Omit<ConfigProblem, 'file'>[] {
  const short = toolNames(found.forge_tools ?? [])
    .filter((tool) => !FORGE_TOOLS.some((known) => known === tool))
    .map((tool) => ({
      path: 'forge_tools',
      value: JSON.stringify(tool),
      problem: 'is no tool of the forge',
      remedy: suggestion(tool.replace(MCP_FORGE, ''), FORGE_TOOLS),
    }));
  const servers = found.mcp_servers ?? [];
  const long = (['tools', 'disallowed_tools'] as const).flatMap((path) =>
    toolNames(found[path] ?? [])
      .map(toolOfRule)
      .filter((tool) => tool.startsWith('mcp__') && !isForgeTool(tool) && !isOfServer(tool, servers))
      .map((tool) => ({
        path,
        value: JSON.stringify(tool),
        problem: 'is no tool of an MCP server that this agent has',
        remedy: suggestion(tool, [
          'mcp__forge',
          ...FORGE_TOOLS.map((name) => `mcp__forge__${name}`),
          ...servers.map((name) => `mcp__${name}`),
        ]),
      })),
  );
  return [...short, ...long];
}

function isOfServer(tool: string, servers: readonly string[]): boolean {
  return servers.some((name) => tool === `mcp__${name}` || tool.startsWith(`mcp__${name}__`));
}

const MCP_FORGE = /^mcp__forge__/;

function isForgeTool(tool: string): boolean {
  if (tool === 'mcp__forge' || tool === 'mcp__forge__*') return true;
  return MCP_FORGE.test(tool) && FORGE_TOOLS.some((name) => name === tool.replace(MCP_FORGE, ''));
}

const TO_HAVE: readonly string[] = [...USUAL_TOOLS, ...MORE_TOOLS];

/** Whether an agent may have the tool. Tools of MCP servers pass here, because `unknownTools` checks them. */
function isToHave(tool: string): boolean {
  return TO_HAVE.includes(toolOfRule(tool)) || tool.startsWith('mcp__');
}

function whyRefused(tool: string): { problem: string; remedy: string } {
  if (/^Web(Search|Fetch)$/.test(toolOfRule(tool))) {
    return {
      problem: 'is a tool that fetches what is outside of the container, and no agent has it',
      remedy: `Take ${tool} out. What the agent should read belongs into the repository or onto the item.`,
    };
  }
  return {
    problem: 'is no tool that an agent may have',
    remedy: `Take it out, or name another. ${suggestion(toolOfRule(tool), TO_HAVE)}`,
  };
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
