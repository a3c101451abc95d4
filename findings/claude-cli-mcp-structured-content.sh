#!/usr/bin/env bash
# Claude Code 2.1.330 (from @anthropic-ai/claude-agent-sdk 0.3.330) and an MCP server whose tool answers with words in
# `content` and with `structuredContent` beside them, as the protocol allows.
#
# Guessed: the model gets the words, or both.
# Seen:    the model gets `structuredContent` as JSON in place of the words, which are lost without a notice; a picture
#          stays. With `{}` as structured content, `{}` is all the text that is left. A result with `isError` keeps its
#          words.
#
#   content             structuredContent   isError   texts of the result that reach the model
#   words               (none)              no        words
#   words               { "found": 3 }      no        {"found":3}
#   words               {}                  no        {}
#   words and picture   { "found": 3 }      no        {"found":3}, beside the picture
#   words               { "found": 3 }      yes       words
set -euo pipefail

folder="$(mktemp -d)"
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @anthropic-ai/claude-agent-sdk@0.3.330 > /dev/null
cli="$(echo "$folder"/node_modules/@anthropic-ai/claude-agent-sdk-linux-*/claude | tr ' ' '\n' | grep -v musl | head -1)"

# An MCP server with one tool, which answers as $1 says. No package: the protocol is a line of JSON a message.
cat > server.mjs <<'END'
import { createInterface } from 'node:readline';

const [words, picture, structuredContent, isError] = JSON.parse(process.argv[2]);
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const content = [
  ...(words === null ? [] : [{ type: 'text', text: words }]),
  ...(picture ? [{ type: 'image', data: PIXEL, mimeType: 'image/png' }] : []),
];
const result = { content, isError, ...(structuredContent === null ? {} : { structuredContent }) };
const answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'shelf', version: '1.0.0' },
  }),
  'tools/list': () => ({
    tools: [{ name: 'look', description: 'Looks.', inputSchema: { type: 'object', properties: {} } }],
  }),
  'tools/call': () => result,
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  console.log(JSON.stringify({ jsonrpc: '2.0', id, result: answers[method]?.(params) ?? {} }));
});
END

# A model that calls the tool and then ends. It writes what it got as the tool's result to `got`.
cat > model.mjs <<'END'
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const line = (type, rest) => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
function answer(response, model, block, delta, stop_reason) {
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model, content: [], stop_reason: null };
  const usage = { input_tokens: 1, output_tokens: 1 };
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(line('message_start', { message: { ...message, usage } }));
  response.write(line('content_block_start', { index: 0, content_block: block }));
  response.write(line('content_block_delta', { index: 0, delta }));
  response.write(line('content_block_stop', { index: 0 }));
  response.write(line('message_delta', { delta: { stop_reason }, usage }));
  response.end(line('message_stop', {}));
}
const CALL = { type: 'tool_use', id: 'toolu_1', name: 'mcp__shelf__look', input: {} };
createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    if (!request.url.startsWith('/v1/messages?') && request.url !== '/v1/messages') {
      response.writeHead(404).end();
      return;
    }
    const { model, messages } = JSON.parse(Buffer.concat(chunks).toString());
    const blocks = messages.flatMap(({ content }) => (Array.isArray(content) ? content : []));
    const found = blocks.find(({ type }) => type === 'tool_result');
    if (found === undefined) {
      answer(response, model, CALL, { type: 'input_json_delta', partial_json: '{}' }, 'tool_use');
      return;
    }
    const parts = typeof found.content === 'string' ? [{ type: 'text', text: found.content }] : found.content;
    const shown = parts.map(({ type, text }) => (type === 'text' ? text.replace(/^\[Image: source.*/s, '(path)') : type));
    writeFileSync('got', shown.join(' | '));
    answer(response, model, { type: 'text', text: '' }, { type: 'text_delta', text: 'ok' }, 'end_turn');
  });
}).listen(0, '127.0.0.1', function () {
  console.log(this.address().port);
});
END

# Lets the model call a tool that answers with $1. What reached the model is in the file `got`.
call() {
  rm -rf got port home config work
  mkdir home config work
  node model.mjs > port &
  server=$!
  until [ -s port ]; do sleep 0.1; done
  node -e '
    const shelf = { type: "stdio", command: "node", args: [process.argv[1], process.argv[2]] };
    console.log(JSON.stringify({ mcpServers: { shelf } }));
  ' "$folder/server.mjs" "$1" > mcp.json
  (cd work && env -i PATH="$PATH" HOME="$folder/home" CLAUDE_CONFIG_DIR="$folder/config" \
    ANTHROPIC_BASE_URL="http://127.0.0.1:$(cat ../port)" ANTHROPIC_API_KEY=sk-ant-test IS_SANDBOX=1 \
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_AUTOUPDATER=1 ENABLE_TOOL_SEARCH=false \
    "$cli" -p look --mcp-config ../mcp.json --strict-mcp-config --allowedTools mcp__shelf__look < /dev/null > /dev/null)
  kill "$server"
  server=""
}

echo "version: $("$cli" --version)"
look() {
  call "$1"
  echo "[words, picture, structured, isError] = $1: the model got: $(cat got)"
  [ "$(cat got)" = "$2" ]
}
look '["words", false, null, false]' 'words' &&
  look '["words", false, { "found": 3 }, false]' '{"found":3}' &&
  look '["words", false, {}, false]' '{}' &&
  look '["words", true, { "found": 3 }, false]' 'image | (path) | {"found":3}' &&
  look '["words", false, { "found": 3 }, true]' 'words' ||
  { echo "This is no longer what happens." >&2; exit 1; }
