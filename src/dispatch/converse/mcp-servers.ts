/** The MCP servers of one run: those that its agent's file lists. */
import { recordAudit } from '../../audit.ts';
import type { OpenMcp } from '../../mcp-door/port.ts';
import type { DispatchDeps } from '../dispatch.ts';
import type { Prepared } from '../screen/context.ts';

/** Throws ToolsUnavailable when one of them is not there, or lacks a tool. */
export async function openMcp(
  { agent, key, signal }: Prepared,
  deps: DispatchDeps,
  restriction: () => string | null,
): Promise<OpenMcp> {
  const { mcpServers: known } = deps.config();
  const servers = agent.mcpServers.flatMap((name) => known[name] ?? []);
  return await deps.mcp.open({
    servers,
    disallowed: agent.disallowedTools,
    // guard: mcp: opened to a restricted run only by its agent’s file
    restriction: () => (agent.mcpInRestrictedRuns ? null : restriction()),
    audit: async (entry) =>
      await recordAudit(deps.database.rows, { ...entry, ...key, agent: agent.name, now: deps.now() }),
    signal,
  });
}
