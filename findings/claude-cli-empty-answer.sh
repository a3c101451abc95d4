#!/usr/bin/env bash
# Claude Code 2.1.330 (from @anthropic-ai/claude-agent-sdk 0.3.330): the model's side ends a turn
# without a word, as `end_turn` or as `refusal`, with `--output-format json`.
#
# Guessed: one request; a run that brought no answer says so.
# Seen:    the model is asked a second time by itself, and both answers are paid for. After two empty turns the run is a
#          success with an empty `result` and exit 0: a script that posts `result` posts nothing and sees no error.
#
#   how both turns end   requests   subtype   is_error   exit   result
#   end_turn             2          success   false      0      (empty)
#   refusal              2          success   true       1      API Error: … safeguards flagged this message …
set -euo pipefail

folder="$(mktemp -d)"
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @anthropic-ai/claude-agent-sdk@0.3.330 > /dev/null
cli="$(echo "$folder"/node_modules/@anthropic-ai/claude-agent-sdk-linux-*/claude | tr ' ' '\n' | grep -v musl | head -1)"

# A model whose answers have no text, and end as a turn ends or as a refusal does.
cat > model.mjs <<'END'
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';

const play = process.argv[2];
let requests = 0;
const line = (type, rest) => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
function answer(response, model, stop_reason) {
  const message = { id: `msg_${requests}`, type: 'message', role: 'assistant', model, content: [] };
  const usage = { input_tokens: 1, output_tokens: 1 };
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(line('message_start', { message: { ...message, stop_reason: null, usage } }));
  response.write(line('message_delta', { delta: { stop_reason }, usage }));
  response.end(line('message_stop', {}));
}
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
    answer(response, model, play);
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
  echo "$1 without a word: $(wc -l < asked) requests, subtype $(field subtype), is_error $(field is_error), exit $code, result: '$(field result | head -1)'"
  [ "$(wc -l < asked) $(field subtype) $(field is_error) $code" = "$2" ] && [[ "$(field result)" == $3 ]]
}
look end_turn '2 success false 0' '' && look refusal '2 success true 1' 'API Error*' ||
  { echo "This is no longer what happens." >&2; exit 1; }
