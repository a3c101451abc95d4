#!/usr/bin/env bash
# Claude Code 2.1.330 (from @anthropic-ai/claude-agent-sdk 0.3.330): an answer that the model's side cuts off at its own
# limit of output, `stop_reason: max_tokens`, with `--output-format json`.
#
# Guessed: `result` holds what was written, and says that it is not whole.
# Seen:    the CLI asks three times more by itself ("Resume directly …"). If all four are cut off, `result` has none of the
#          text, only an error sentence; `api_error_status` is null and `subtype` is success, as where nothing answers. All
#          four answers are paid for.
#
#   answers cut off   requests   subtype   is_error   exit   result
#   1                 2          success   false      0      the second answer alone: the first piece is not in it
#   all               4          success   true       1      API Error: … exceeded the … output token maximum …
set -euo pipefail

folder="$(mktemp -d)"
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @anthropic-ai/claude-agent-sdk@0.3.330 > /dev/null
cli="$(echo "$folder"/node_modules/@anthropic-ai/claude-agent-sdk-linux-*/claude | tr ' ' '\n' | grep -v musl | head -1)"

# A model whose first answer, or each, is cut off.
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
    const cut = play === 'all' || requests === 1;
    say(response, model, `piece ${requests}`, cut ? 'max_tokens' : 'end_turn');
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


echo "version: $("$cli" --version)"
look() {
  ask "$1"
  echo "cut off: $1; $(wc -l < asked) requests, subtype $(field subtype), is_error $(field is_error), exit $code, result: $(field result)"
  [ "$(wc -l < asked) $(field subtype) $(field is_error) $code" = "$2" ] && [[ "$(field result)" == *"$3"* ]] &&
    [[ "$(field result)" != *"piece 1"* ]]
}
look first '2 success false 0' 'piece 2' && look all '4 success true 1' 'output token maximum' ||
  { echo "This is no longer what happens." >&2; exit 1; }
