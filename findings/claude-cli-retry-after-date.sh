#!/usr/bin/env bash
# Claude Code 2.1.330 (from @anthropic-ai/claude-agent-sdk 0.3.330): how long it waits when the model's side, or a gateway
# before it, answers 429 with `retry-after`. HTTP allows two forms of the value: a number of seconds, and a date.
#
# Guessed: it waits as long in either form.
# Seen:    it waits for the seconds. Where the date stands, the next request comes after about one second.
#
#   retry-after                      the second request comes
#   6                                after more than 6 s
#   the date in 8 seconds, as GMT    after less than 4 s
set -euo pipefail

folder="$(mktemp -d)"
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @anthropic-ai/claude-agent-sdk@0.3.330 > /dev/null
cli="$(echo "$folder"/node_modules/@anthropic-ai/claude-agent-sdk-linux-*/claude | tr ' ' '\n' | grep -v musl | head -1)"

# A model that refuses the first request for its rate, and writes down when it was asked.
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
    const wait = play === 'date' ? new Date(Date.now() + 8000).toUTCString() : '6';
    if (requests > 1) return say(response, model, 'All done.', 'end_turn');
    response.writeHead(429, { 'content-type': 'application/json', 'retry-after': wait });
    const error = { type: 'rate_limit_error', message: 'Too many requests.' };
    response.end(JSON.stringify({ type: 'error', error }));
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


# Milliseconds between the first request and the second.
waited() { node -p "const [a, b] = require('node:fs').readFileSync('asked', 'utf8').split('\\n').map(Number); b - a"; }

echo "version: $("$cli" --version)"
ask seconds
seconds="$(waited)"
ask date
date="$(waited)"
echo "retry-after: 6                  the second request came after $seconds ms"
echo "retry-after: <date in 8 s>      the second request came after $date ms"
[ "$seconds" -ge 6000 ] && [ "$date" -lt 4000 ] ||
  { echo "This is no longer what happens." >&2; exit 1; }
