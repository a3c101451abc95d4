/**
 * A server of tools that stands in the worker and is shown to the CLI as it is: names, schemas and answers of others, over
 * the SDK's own stdio. Nothing is mounted into the container, and no port is opened there.
 */
import type { Options } from '@anthropic-ai/claude-agent-sdk';

export type ToolBlock = { type: 'text'; text: string } | { type: 'image'; data: string; mimeType: string };

/** A tool of an MCP server; the CLI knows it as `mcp__<server>__<name>`. */
export interface ServedTool {
  name: string;
  description: string;
  /** JSON schema of an object */
  schema: Record<string, unknown>;
  readOnly: boolean;
  /** never throws; `toolUseId` is the model's own id of this call */
  call(
    input: Record<string, unknown>,
    call: { toolUseId: string; signal: AbortSignal },
  ): Promise<{ content: ToolBlock[]; isError: boolean }>;
}

export interface ToolServer {
  name: string;
  /** what the server says of itself, for the model; '' = nothing */
  instructions: string;
  /** the same list for the whole run: another one would throw away the model's cache */
  tools: readonly ServedTool[];
}

export function servedNames(servers: readonly ToolServer[]): string[] {
  return servers.flatMap(({ name, tools }) => tools.map((tool) => `mcp__${name}__${tool.name}`));
}

export async function servedOptions(
  servers: readonly ToolServer[],
): Promise<NonNullable<Options['mcpServers']>> {
  if (servers.length === 0) return {};
  const [{ McpServer }, types] = await Promise.all([
    import('@modelcontextprotocol/sdk/server/mcp.js'),
    import('@modelcontextprotocol/sdk/types.js'),
  ]);
  return Object.fromEntries(
    servers.map((own) => {
      const served = new McpServer(
        { name: own.name, version: '1.0.0' },
        {
          capabilities: { tools: {} },
          ...(own.instructions === '' ? {} : { instructions: own.instructions }),
        },
      );
      served.server.setRequestHandler(types.ListToolsRequestSchema, () => ({
        tools: own.tools.map((tool) => ({
          name: tool.name,
          description: tool.description,
          inputSchema: { ...tool.schema, type: 'object' as const },
          annotations: { readOnlyHint: tool.readOnly },
          // The server's own `alwaysLoad` does not reach tools that are listed by hand (seen with CLI 2.1.330).
          _meta: { 'anthropic/alwaysLoad': true },
        })),
      }));
      served.server.setRequestHandler(types.CallToolRequestSchema, async ({ params }, extra) => {
        const tool = own.tools.find(({ name }) => name === params.name);
        if (tool === undefined)
          return { content: [{ type: 'text', text: 'There is no such tool.' }], isError: true };
        const id = params._meta?.['claudecode/toolUseId'];
        const toolUseId = typeof id === 'string' ? id : '';
        return await tool.call(params.arguments ?? {}, { toolUseId, signal: extra.signal });
      });
      return [own.name, { type: 'sdk' as const, name: own.name, instance: served, alwaysLoad: true }];
    }),
  );
}
