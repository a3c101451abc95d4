/** Which of a server's tools a run is offered, and whether what must be there is there. Pure. */
import type { McpServerSettings } from '../config/mcp-settings.ts';
import { toolOfRule } from '../vocabulary.ts';

/** A tool as a server lists it. */
export interface ListedTool {
  name: string;
  description: string;
  schema: Record<string, unknown>;
  readOnly: boolean;
}

export interface Offer {
  /** by name, so that the list does not change with the server's order */
  tools: ListedTool[];
  leftOut: { tool: string; why: string }[];
  /** a sentence with the remedy; null = all that must be there is there */
  lacking: string | null;
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const LONGEST_DESCRIPTION = 4000;
const LONGEST_SCHEMA = 100_000;
const MOST_TOOLS = 100;

export function offerOf(
  listed: readonly ListedTool[],
  { name, tools: allowed }: Pick<McpServerSettings, 'name' | 'tools'>,
  disallowed: readonly string[],
): Offer {
  const leftOut: Offer['leftOut'] = [];
  const isTakenAway = (tool: string) =>
    disallowed
      .map(toolOfRule)
      .some((rule) => [`mcp__${name}`, `mcp__${name}__*`, `mcp__${name}__${tool}`].includes(rule));
  // guard: mcp: the list of tools
  const meant = listed.filter((tool) => allowed === null || allowed.includes(tool.name));
  const usable = meant.filter((tool) => {
    const why = whyUnusable(tool);
    if (why !== null) leftOut.push({ tool: tool.name.slice(0, 100), why });
    return why === null;
  });
  const lacking = lackingIn(usable, { name, allowed, leftOut });
  const tools = usable
    .filter((tool) => !isTakenAway(tool.name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .slice(0, MOST_TOOLS)
    .map((tool) => ({ ...tool, description: tool.description.slice(0, LONGEST_DESCRIPTION) }));
  return { tools, leftOut, lacking };
}

function whyUnusable({ name, schema }: ListedTool): string | null {
  if (!NAME.test(name)) return 'its name has other characters than letters, digits, _ and -, or more than 64';
  const text = JSON.stringify(schema);
  if (text.length > LONGEST_SCHEMA) return `its schema has more than ${LONGEST_SCHEMA} characters`;
  // The gateway refuses a request with such a schema, and with it the whole run.
  // guard: mcp: schemas that point elsewhere
  return /"\$ref":"(?!#)/.test(text) ? 'its schema points to an address' : null;
}

function lackingIn(
  usable: readonly ListedTool[],
  o: { name: string; allowed: readonly string[] | null; leftOut: Offer['leftOut'] },
): string | null {
  const remedy = `Mend the server, or change mcp_servers.${o.name}.tools.`;
  if (o.allowed === null) return usable.length > 0 ? null : `The MCP server ${o.name} has no tool. ${remedy}`;
  const missing = o.allowed.filter((name) => !usable.some((tool) => tool.name === name));
  if (missing.length === 0) return null;
  const why = o.leftOut
    .filter(({ tool }) => missing.includes(tool))
    .map(({ tool, why }) => ` ${tool}: ${why}.`);
  return `The MCP server ${o.name} does not have ${missing.join(', ')}.${why.join('')} ${remedy}`;
}
