/** Whether the MCP servers of acting agents are there with their tools: each is started or reached, and asked for its list. */
import type { AgentConfig, LoadedConfig } from '../config/config.ts';
import { ToolsUnavailable } from '../errors.ts';
import { createMcpDoor } from '../mcp-door.ts';
import type { Check } from './check.ts';
import type { DoorCheckDeps } from './doors.ts';

export async function checkMcpServers(
  config: Pick<LoadedConfig, 'mcpServers' | 'secrets'>,
  agents: readonly AgentConfig[],
  { network, log }: Pick<DoorCheckDeps, 'network' | 'log'>,
): Promise<Check<'mcp-server'>[]> {
  const door = createMcpDoor({ fetch: network.fetch, secrets: () => config.secrets, log });
  const names = [...new Set(agents.flatMap(({ mcpServers }) => mcpServers))];
  return await Promise.all(names.map((name) => checkOne(name, { config, agents, door })));
}

async function checkOne(
  name: string,
  o: {
    config: Pick<LoadedConfig, 'mcpServers'>;
    agents: readonly AgentConfig[];
    door: ReturnType<typeof createMcpDoor>;
  },
): Promise<Check<'mcp-server'>> {
  const users = o.agents.filter(({ mcpServers }) => mcpServers.includes(name)).map((agent) => agent.name);
  const about = { check: 'mcp-server', subject: `${name}, for ${users.join(', ')}` } as const;
  try {
    const opened = await o.door.open({
      servers: [o.config.mcpServers[name]!],
      disallowed: [],
      restriction: () => null,
      audit: async () => {},
      signal: AbortSignal.timeout(LONGEST_MS),
    });
    const tools = opened.servers.flatMap((server) => server.tools.map((tool) => tool.name));
    await opened.close();
    return { ...about, severity: 'ok', problem: '', evidence: tools.join(', '), remedy: '' };
  } catch (error) {
    const isLacking = error instanceof ToolsUnavailable && !error.transient;
    return {
      ...about,
      severity: 'broken',
      problem: isLacking ? 'it lacks a tool that it must have' : 'it cannot be started or reached',
      evidence: error instanceof Error ? error.message : String(error),
      remedy: isLacking
        ? `Mend the server, or take the tool out of mcp_servers.${name}.tools. Until then no dispatch of ${users.join(', ')} begins.`
        : `See that mcp_servers.${name} is right, and try its command or address by hand as the service's user. Until then no dispatch of ${users.join(', ')} begins.`,
    };
  }
}

/** Also in a line for a server that serves one user at a time; nobody else is in this one. */
const LONGEST_MS = 600_000;
