/** The connection of one dispatch to one MCP server. It is made anew when the server died, and so often as its settings say. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  type CallToolResult,
  CallToolResultSchema,
  ErrorCode,
  ListToolsResultSchema,
  McpError,
} from '@modelcontextprotocol/sdk/types.js';
import type { McpServerSettings } from '../config/mcp-settings.ts';
import { ToolsUnavailable } from '../errors.ts';
import { Mutex } from '../mutex.ts';
import { hidden } from './hidden.ts';
import type { ListedTool } from './offer.ts';
import type { McpDoorDeps } from './port.ts';
import { type OpenTransport, transportFor } from './transports.ts';

export interface Listed {
  tools: ListedTool[];
  instructions: string;
}

export type CallOutcome =
  | { kind: 'answered'; result: CallToolResult }
  /** `why`: a sentence for the agent with what to do; `cause`: for the audit */
  | { kind: 'failed'; cause: 'timed-out' | 'died' | 'refused' | 'gone' | 'stopped'; why: string };

const MOST_PAGES = 20;
const LONGEST_INSTRUCTIONS = 4000;

interface Open {
  client: Client;
  way: OpenTransport;
}

export class McpConnection {
  readonly settings: McpServerSettings;
  readonly #deps: McpDoorDeps;
  readonly #opening = new Mutex();
  #open: Open | null = null;
  #restarts = 0;
  #closed = false;

  constructor(settings: McpServerSettings, deps: McpDoorDeps) {
    this.settings = settings;
    this.#deps = deps;
  }

  /** Throws ToolsUnavailable. */
  async start(): Promise<Listed> {
    const { name, startMs } = this.settings;
    try {
      const { client } = await this.#connected();
      const tools = await withPages(async (cursor) => {
        const params = cursor === undefined ? {} : { cursor };
        return await client.request({ method: 'tools/list', params }, ListToolsResultSchema, limits(startMs));
      });
      const instructions = (client.getInstructions() ?? '').slice(0, LONGEST_INSTRUCTIONS);
      return { tools, instructions: this.#hidden(instructions) };
    } catch (error) {
      const said = this.#said();
      await this.close();
      throw new ToolsUnavailable(
        `The MCP server ${name} could not be started or reached: ${this.#hidden(words(error))}.${said} See mcp_servers.${name}, and run \`claude-hooks doctor\`.`,
        { transient: true },
      );
    }
  }

  async call(tool: string, input: Record<string, unknown>, signal: AbortSignal): Promise<CallOutcome> {
    let open: Open;
    try {
      open = await this.#connected();
    } catch (error) {
      return {
        kind: 'failed',
        cause: 'gone',
        why: `${this.#hidden(words(error))}. Go on without this server.`,
      };
    }
    try {
      const result = await open.client.request(
        { method: 'tools/call', params: { name: tool, arguments: input } },
        CallToolResultSchema,
        { ...limits(this.settings.callMs), signal },
      );
      return { kind: 'answered', result };
    } catch (error) {
      return await this.#failure(open, error, signal);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = this.#open;
    this.#open = null;
    await open?.client.close().catch(() => {});
  }

  async #failure(open: Open, error: unknown, signal: AbortSignal): Promise<CallOutcome> {
    if (signal.aborted) return { kind: 'failed', cause: 'stopped', why: 'The run was stopped.' };
    const code = error instanceof McpError ? error.code : null;
    if (code === ErrorCode.RequestTimeout) {
      const seconds = this.settings.callMs / 1000;
      const why = `The server did not answer within ${seconds} s. What it did is not known: look before you call again.`;
      return { kind: 'failed', cause: 'timed-out', why };
    }
    const isGone = code === ErrorCode.ConnectionClosed || !(error instanceof McpError);
    if (!isGone) return { kind: 'failed', cause: 'refused', why: this.#hidden(words(error)) };
    // A session that the server has forgotten is a connection that is lost.
    const said = open === this.#open ? this.#said() : '';
    if (open === this.#open) this.#open = null;
    await open.client.close().catch(() => {});
    const forgot = error instanceof StreamableHTTPError && error.code === 404;
    const why = forgot ? 'the server has forgotten the connection' : this.#hidden(words(error));
    return {
      kind: 'failed',
      cause: 'died',
      why: `The connection to the server was lost: ${why}.${said} What the call did is not known: look before you call again.`,
    };
  }

  /** Calls run side by side; one of them connects. */
  async #connected(): Promise<Open> {
    return await this.#opening.hold(async () => {
      if (this.#open !== null) return this.#open;
      if (this.#closed) throw new Error('the run has ended');
      const isFirst = this.#restarts === 0 && !this.#began;
      // guard: mcp: restarts are bounded
      if (!isFirst && ++this.#restarts > this.settings.restarts) {
        throw new Error(
          `the server was started again ${this.settings.restarts} times in this run, and died each time`,
        );
      }
      this.#began = true;
      if (!isFirst)
        this.#deps.log.warn(`the MCP server ${this.settings.name} is started again`, {
          restart: this.#restarts,
        });
      return await this.#connect();
    });
  }

  #began = false;

  async #connect(): Promise<Open> {
    const way = transportFor(this.settings, this.#deps.fetch);
    // It offers nothing in return: no files, no model, no person to ask.
    const client = new Client({ name: 'claude-hooks', version: '1.0.0' }, { capabilities: {} });
    const open = { client, way };
    this.#lastWords = way.lastWords;
    client.onclose = () => {
      if (this.#open === open) this.#open = null;
    };
    client.onerror = () => way.endAfterError();
    await client.connect(way.transport, limits(this.settings.startMs));
    this.#open = open;
    return open;
  }

  #lastWords: () => string = () => '';

  #said(): string {
    const said = this.#hidden(this.#lastWords());
    return said === '' ? '' : ` It said: ${said.slice(-300).replaceAll(/\s+/g, ' ')}`;
  }

  #hidden(text: string): string {
    return hidden(text, this.#deps.secrets());
  }
}

function limits(ms: number) {
  return { timeout: ms, maxTotalTimeout: ms };
}

type Page = {
  tools: {
    name: string;
    description?: string | undefined;
    inputSchema: object;
    annotations?: { readOnlyHint?: boolean | undefined } | undefined;
  }[];
  nextCursor?: string | undefined;
};

async function withPages(ask: (cursor: string | undefined) => Promise<Page>): Promise<ListedTool[]> {
  const tools: ListedTool[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const { tools: more, nextCursor } = await ask(cursor);
    tools.push(
      ...more.map(({ name, description = '', inputSchema, annotations }) => ({
        name,
        description,
        schema: inputSchema as Record<string, unknown>,
        readOnly: annotations?.readOnlyHint === true,
      })),
    );
    if (nextCursor === undefined) return tools;
    cursor = nextCursor;
  }
  return tools;
}

/** "fetch failed" says nothing; its cause does. */
function words(error: unknown): string {
  const { message, cause } = error as Error;
  const text = cause instanceof Error ? `${message}: ${cause.message}` : message;
  return text
    .replaceAll(/\s+/g, ' ')
    .slice(0, 500)
    .replace(/[.\s]+$/, '');
}
