/** The option table of MCP servers: how the service reaches each, and what agents may do with it. */
import { z } from 'zod';
import { NAME_PATTERN } from './option-kinds.ts';

const TOOL = /^[A-Za-z0-9_-]{1,64}$/;

const secret = (description: string) =>
  z.string().min(1).optional().meta({
    description,
    'x-secret': true,
    'x-expects': `a secret as \${VARIABLE}`,
  });

const mcpServer = z
  .strictObject({
    command: z.array(z.string().min(1)).min(1).optional().meta({
      description:
        'A program and its arguments that the service starts for each dispatch, outside of the container, and speaks with over its standard input and output.',
      'x-expects': 'a list of a program and its arguments',
    }),
    environment: z
      .record(
        z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/),
        z.string().meta({ 'x-secret': true, 'x-expects': `a secret as \${VARIABLE}` }),
      )
      .optional()
      .meta({
        description:
          'With `command`: variables for the program, its secrets among them. Of the variables of the service it has only `HOME`, `PATH`, `USER` and their like.',
        'x-key': 'variable',
      }),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .meta({
        description: 'Instead of `command`: address of a server with streamable HTTP.',
        'x-expects': 'an http:// or https:// address',
      }),
    token: secret('With `url`: sent as `Authorization: Bearer`. Agents never see it.'),
    header: secret('With `url`, instead of `token`: a whole header, as `X-Api-Key: …`.'),
    tools: z.array(z.string().regex(TOOL)).min(1).optional().meta({
      description:
        'The tools that agents may use. A dispatch begins only if the server has all of them. Without it: all that the server has, and at least one.',
      'x-expects': 'a list of tool names',
    }),
    dispatches_at_once: z.int().min(1).max(256).optional().meta({
      description:
        'Dispatches that may use it at once, for a server that serves one user at a time; the others wait. Counted in each worker process. Without it: no limit.',
    }),
    start_seconds: z.int().min(1).max(600).default(30).meta({
      description: 'Longest wait for the server to start, to answer and to list its tools.',
    }),
    call_seconds: z.int().min(1).max(3600).default(120).meta({ description: 'Longest call of a tool.' }),
    calls: z.int().min(1).max(10_000).default(200).meta({ description: 'Most calls in one dispatch.' }),
    result_characters: z.int().min(1000).max(1_000_000).default(60_000).meta({
      description: 'Longest text of one result; the rest is cut off, and the agent is told.',
    }),
    restarts: z.int().min(0).max(20).default(3).meta({
      description:
        'How often in one dispatch the server is started or connected to again after it died or closed the connection.',
    }),
  })
  .superRefine((one, issues) => {
    const add = (path: string, message: string) => issues.addIssue({ code: 'custom', path: [path], message });
    if ((one.command === undefined) === (one.url === undefined))
      add('command', 'command or url, and only one');
    if (one.environment !== undefined && one.command === undefined)
      add('environment', 'it only with command');
    if (one.token !== undefined && one.url === undefined) add('token', 'it only with url');
    if (one.header !== undefined && one.url === undefined) add('header', 'it only with url');
    if (one.token !== undefined && one.header !== undefined) add('token', 'either token or header');
    if (one.header !== undefined && !/^[A-Za-z0-9-]+: *[!-~ ]+$/.test(one.header)) {
      add('header', 'a name, a colon and a value');
    }
  });

/** `forge` is the broker's. */
const SERVER_NAME = z
  .string()
  .regex(NAME_PATTERN)
  .refine((name) => name !== 'forge', 'another name than forge, which is that of the forge tools')
  .meta({ 'x-expects': 'a name in lower-case letters, digits and dashes' });

export const mcpServers = z.record(SERVER_NAME, mcpServer).prefault({}).meta({
  description:
    'MCP servers that agents may use, by a name you choose; an agent has those that its file lists in `mcp_servers`. The service holds connection and secret, the container sees tools only ([more](mcp-servers.md)).',
  'x-key': 'server',
});

export type McpServerOptions = z.output<typeof mcpServer>;
