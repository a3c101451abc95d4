/** MCP servers of the operator, as tools of a run. The contract is in `mcp-door/port.ts`. */
import type { ToolServer } from './agent-runner/tool-server.ts';
import { ToolsUnavailable } from './errors.ts';
import { servedTool } from './mcp-door/call.ts';
import { McpConnection } from './mcp-door/connection.ts';
import { offerOf } from './mcp-door/offer.ts';
import type { McpDoor, McpDoorDeps, McpRun } from './mcp-door/port.ts';
import { Turns } from './mcp-door/turns.ts';

export function createMcpDoor(deps: McpDoorDeps): McpDoor {
  const turns = new Turns();
  return {
    open: async (run) => {
      const closers: (() => Promise<void> | void)[] = [];
      const close = async () => void (await Promise.all(closers.splice(0).map((end) => end())));
      try {
        // In one order for every run: two that hold what the other one waits for would wait for ever.
        // guard: mcp: turns are taken in one order
        const inOrder = run.servers.toSorted((a, b) => (a.name < b.name ? -1 : 1));
        for (const settings of inOrder) closers.push(await turns.take(settings, run.signal));
        const servers: ToolServer[] = [];
        for (const settings of run.servers) {
          const connection = new McpConnection(settings, deps);
          closers.push(() => connection.close());
          servers.push(await served(connection, run, deps));
        }
        return { servers, close };
      } catch (error) {
        await close();
        throw error;
      }
    },
  };
}

async function served(connection: McpConnection, run: McpRun, deps: McpDoorDeps): Promise<ToolServer> {
  const { settings } = connection;
  const listed = await connection.start();
  const offer = offerOf(listed.tools, settings, run.disallowed);
  for (const left of offer.leftOut)
    deps.log.warn(`a tool of the MCP server ${settings.name} is left out`, left);
  // guard: mcp: tools that must be there
  if (offer.lacking !== null) throw new ToolsUnavailable(offer.lacking, { transient: false });
  let calls = 0;
  const count = () => ++calls <= settings.calls;
  return {
    name: settings.name,
    instructions: listed.instructions,
    tools: offer.tools.map((tool) => servedTool(tool, { connection, run, deps, count })),
  };
}
