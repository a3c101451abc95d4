/** Settings of MCP servers as everybody else reads them: one way to each server, headers made. */
import type { McpServerOptions } from './mcp-options.ts';

export interface McpServerSettings {
  name: string;
  way:
    | { kind: 'stdio'; command: readonly string[]; environment: Readonly<Record<string, string>> }
    /** names of headers in lower case */
    | { kind: 'http'; url: string; headers: Readonly<Record<string, string>> };
  /** each must be there when a dispatch begins; null = whatever the server has */
  tools: readonly string[] | null;
  /** null = no limit */
  dispatchesAtOnce: number | null;
  startMs: number;
  callMs: number;
  calls: number;
  resultCharacters: number;
  restarts: number;
}

type Options = Readonly<Record<string, McpServerOptions>>;

export function mcpSettings(servers: Options): Readonly<Record<string, McpServerSettings>> {
  return Object.fromEntries(
    Object.entries(servers).map(([name, server]) => [
      name,
      {
        name,
        way: wayOf(server),
        tools: server.tools ?? null,
        dispatchesAtOnce: server.dispatches_at_once ?? null,
        startMs: server.start_seconds * 1000,
        callMs: server.call_seconds * 1000,
        calls: server.calls,
        resultCharacters: server.result_characters,
        restarts: server.restarts,
      },
    ]),
  );
}

/** The option table makes sure that there is one of the two. */
function wayOf({ command, environment, url, token, header }: McpServerOptions): McpServerSettings['way'] {
  if (url === undefined) return { kind: 'stdio', command: command!, environment: environment ?? {} };
  return { kind: 'http', url, headers: headersOf(token, header) };
}

function headersOf(token: string | undefined, header: string | undefined): Record<string, string> {
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  if (header === undefined) return {};
  const colon = header.indexOf(':');
  return { [header.slice(0, colon).toLowerCase()]: header.slice(colon + 1).trim() };
}

/**
 * Values of `environment` count as secrets from this length: `1` or `true` would take such words out of every log line.
 */
const SHORTEST_SECRET = 8;

export function secretsOfMcp(servers: Options): string[] {
  return Object.values(servers).flatMap(({ environment, token, header }) => [
    ...Object.values(environment ?? {}).filter((value) => value.length >= SHORTEST_SECRET),
    ...(token === undefined ? [] : [token]),
    ...(header === undefined ? [] : [header.slice(header.indexOf(':') + 1).trim()]),
  ]);
}
