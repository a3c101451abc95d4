/** The broker's tools as an MCP server of the SDK. It runs in this process: nothing is mounted, no port is opened. */
import type { Options } from '@anthropic-ai/claude-agent-sdk';
import type { AgentTool } from './run.ts';

export const SERVER = 'forge';

/** Names as the CLI knows them. */
export function mcpNames(tools: readonly AgentTool[]): string[] {
  return tools.map((tool) => `mcp__${SERVER}__${tool.name}`);
}

/** Options for `query`; nothing where there is no tool. */
export async function forgeServer(tools: readonly AgentTool[]): Promise<Pick<Options, 'mcpServers'>> {
  if (tools.length === 0) return {};
  return { mcpServers: { [SERVER]: await makeServer(tools) } };
}

/** One server for one client; `connect` it to a transport. */
export async function makeServer(tools: readonly AgentTool[]) {
  const { createSdkMcpServer, tool } = await import('@anthropic-ai/claude-agent-sdk');
  return createSdkMcpServer({
    name: SERVER,
    // With the CLI's tool search each tool would cost a request before its first use.
    alwaysLoad: true,
    tools: tools.map((own) =>
      tool(
        own.name,
        own.description,
        own.input,
        async (input, extra) => {
          const { text, isError } = await own.call(input, { toolUseId: toolUseIdOf(extra) });
          return { content: [{ type: 'text', text }], isError };
        },
        // The CLI runs several calls at the same time only if this says that they change nothing.
        { annotations: { readOnlyHint: own.readOnly } },
      ),
    ),
  });
}

function toolUseIdOf(extra: unknown): string {
  const meta = (extra as { _meta?: Record<string, unknown> } | undefined)?._meta;
  const id = meta?.['claudecode/toolUseId'];
  return typeof id === 'string' ? id : '';
}
