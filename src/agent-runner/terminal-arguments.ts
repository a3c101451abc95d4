/** The CLI's arguments for a person at its terminal: what the SDK hands to a run of the agent, in words of the command line. */
import type { Bridge } from '../container/place.ts';
import { bridgeConfig } from './forge-bridge.ts';
import { mcpNames } from './forge-server.ts';
import { type InstructionFiles, limitsOnProject } from './project-limits.ts';
import type { AgentOptions, AgentTool } from './run.ts';
import { builtInTools, subagents } from './tools.ts';

export interface TerminalArguments {
  sessionId: string;
  /** the system prompt that the CLI has recorded is not used */
  anew: boolean;
  agent: AgentOptions;
  tools: readonly AgentTool[];
  env: Record<string, string>;
  /** the only instruction files that the CLI may load; null = whatever is there */
  instructions: InstructionFiles | null;
  /** both as the CLI sees them */
  cli: string;
  bridge: Bridge | null;
}

export function terminalArguments(o: TerminalArguments): string[] {
  const { agent } = o;
  const builtIn = builtInTools(agent);
  const allowed = [...(agent.tools ?? []), ...mcpNames(o.tools)];
  const limits = limitsOnProject({ env: o.env, agent, instructions: o.instructions });
  const agents = subagents(builtIn);
  return [
    ...['--resume', o.sessionId],
    ...['--model', agent.model],
    ...(agent.effort === null ? [] : ['--effort', agent.effort]),
    // guard: attach: the agent’s tools
    ...['--tools', builtIn.join(',')],
    ...(allowed.length === 0 ? [] : ['--allowedTools', allowed.join(',')]),
    ...(agent.disallowedTools.length === 0 ? [] : ['--disallowedTools', agent.disallowedTools.join(',')]),
    ...['--permission-mode', MODES[agent.permissionMode]],
    ...(agent.permissionMode === 'bypassPermissions' ? ['--allow-dangerously-skip-permissions'] : []),
    ...['--append-system-prompt', agent.instructions],
    ...(o.anew ? ['--system-prompt-snapshot', 'off'] : []),
    ...(Object.keys(agents).length === 0 ? [] : ['--agents', JSON.stringify(agents)]),
    ...['--setting-sources', 'project'],
    // guard: attach: limits on the project
    ...['--settings', JSON.stringify({ ...limits.settings, skipDangerousModePermissionPrompt: true })],
    ...['--managed-settings', JSON.stringify(limits.managedSettings)],
    '--strict-mcp-config',
    ...(o.bridge === null ? [] : ['--mcp-config', JSON.stringify(bridgeConfig(o.cli, o.bridge))]),
  ];
}

/** The command line has another word for one of them. */
const MODES: Record<AgentOptions['permissionMode'], string> = {
  default: 'manual',
  acceptEdits: 'acceptEdits',
  bypassPermissions: 'bypassPermissions',
  plan: 'plan',
  dontAsk: 'dontAsk',
};
