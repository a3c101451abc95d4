#!/usr/bin/env bash
# Claude Code 2.1.330 (from @anthropic-ai/claude-agent-sdk 0.3.330): `--max-turns 0`, beside a model that calls a tool five
# times before it answers.
#
# Guessed: 0 allows no turn, or is refused as `--max-budget-usd 0` is.
# Seen:    it is taken, and there is no limit at all: six requests, exit 0.
#
#   --max-turns   requests   subtype           exit
#   2             2          error_max_turns   1
#   0             6          success           0
set -euo pipefail

folder="$(mktemp -d)"
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @anthropic-ai/claude-agent-sdk@0.3.330 > /dev/null
cli="$(echo "$folder"/node_modules/@anthropic-ai/claude-agent-sdk-linux-*/claude | tr ' ' '\n' | grep -v musl | head -1)"

# A model that calls a tool five times, and writes down when it was asked.
cat > model.mjs <<'END'
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';

const play = process.argv[2];
let requests = 0;
const line = (type, rest) => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
function answer(response, model, block, delta, stop_reason) {
  const message = { id: `msg_${requests}`, type: 'message', role: 'assistant', model, content: [] };
  const usage = { input_tokens: 1, output_tokens: 1 };
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(line('message_start', { message: { ...message, stop_reason: null, usage } }));
  response.write(line('content_block_start', { index: 0, content_block: block }));
  response.write(line('content_block_delta', { index: 0, delta }));
  response.write(line('content_block_stop', { index: 0 }));
  response.write(line('message_delta', { delta: { stop_reason }, usage }));
  response.end(line('message_stop', {}));
}
const say = (response, model, text, stop_reason) =>
  answer(response, model, { type: 'text', text: '' }, { type: 'text_delta', text }, stop_reason);
createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    if (!request.url.startsWith('/v1/messages?') && request.url !== '/v1/messages') {
      response.writeHead(404).end();
      return;
    }
    const { model } = JSON.parse(Buffer.concat(chunks).toString());
    requests += 1;
    appendFileSync('asked', `${Date.now()}\n`);
    if (requests > 5) return say(response, model, 'All done.', 'end_turn');
    const input = JSON.stringify({ command: `echo ${requests}`, description: 'Say a number' });
    const tool = { type: 'tool_use', id: `toolu_${requests}`, name: 'Bash', input: {} };
    answer(response, model, tool, { type: 'input_json_delta', partial_json: input }, 'tool_use');
  });
}).listen(0, '127.0.0.1', function () {
  console.log(this.address().port);
});
END

# Asks one short question of a model that plays $1, with the further arguments. Writes result.json, the exit code and, in
# `asked`, a line per request.
ask() {
  local play="$1"
  shift
  rm -rf asked port home config work
  mkdir home config work
  : > asked
  node model.mjs "$play" > port &
  server=$!
  until [ -s port ]; do sleep 0.1; done
  code=0
  (cd work && env -i PATH="$PATH" HOME="$folder/home" CLAUDE_CONFIG_DIR="$folder/config" \
    ANTHROPIC_BASE_URL="http://127.0.0.1:$(cat ../port)" ANTHROPIC_API_KEY=sk-ant-test IS_SANDBOX=1 \
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_AUTOUPDATER=1 \
    "$cli" -p hi --output-format json "$@" < /dev/null > ../result.json 2> /dev/null) || code=$?
  kill "$server"
  server=""
}
field() { node -p "String(JSON.parse(require('node:fs').readFileSync('result.json', 'utf8'))['$1'])"; }

field() { node -p "String(JSON.parse(require('node:fs').readFileSync('result.json', 'utf8'))['$1'])"; }

echo "version: $("$cli" --version)"
look() {
  ask tools --permission-mode bypassPermissions --max-turns "$1"
  echo "--max-turns $1: $(wc -l < asked) requests, subtype $(field subtype), exit $code"
  [ "$(wc -l < asked) $(field subtype) $code" = "$2" ]
}
look 2 '2 error_max_turns 1' && look 0 '6 success 0' ||
  { echo "This is no longer what happens." >&2; exit 1; }
