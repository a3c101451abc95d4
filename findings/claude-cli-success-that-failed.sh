#!/usr/bin/env bash
# Claude Code 2.1.330 (from @anthropic-ai/claude-agent-sdk 0.3.330): the result of a question that the model's side refused,
# with `--output-format json`; the SDK's result message has the same fields.
#
# Guessed: `subtype` is one of the error subtypes, and `result` is absent or holds what the server said.
# Seen:    `subtype` is `success`, and `result`, where an answer stands otherwise, holds a sentence for a person at a
#          terminal; for a 413 one about images, of which there were none. Only `is_error` and the exit code tell.
#
#   status   subtype   is_error   exit   result
#   200      success   false      0      All done.
#   404      success   true       1      There's an issue with the selected model … Run --model to pick a different model.
#   413      success   true       1      Request too large (max 32MB). Accumulated images and attachments …
set -euo pipefail

folder="$(mktemp -d)"
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @anthropic-ai/claude-agent-sdk@0.3.330 > /dev/null
cli="$(echo "$folder"/node_modules/@anthropic-ai/claude-agent-sdk-linux-*/claude | tr ' ' '\n' | grep -v musl | head -1)"

# The smallest model that the CLI takes an answer from; it writes down what it was asked.
cat > model.mjs <<'END'
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';

const refuse = Number(process.argv[2] ?? 0);
const line = (type, rest) => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    if (!request.url.startsWith('/v1/messages?') && request.url !== '/v1/messages') {
      response.writeHead(404).end();
      return;
    }
    const { model, tools } = JSON.parse(Buffer.concat(chunks).toString());
    appendFileSync('asked', `${tools?.length ?? 0}\n`);
    if (refuse > 0) {
      const error = { type: 'invalid_request_error', message: 'This text is not taken.' };
      response.writeHead(refuse, { 'content-type': 'application/json', 'x-should-retry': 'false' });
      response.end(JSON.stringify({ type: 'error', error }));
      return;
    }
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model, content: [] };
    const usage = { input_tokens: 1, output_tokens: 1 };
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(line('message_start', { message: { ...message, stop_reason: null, usage } }));
    response.write(line('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }));
    response.write(line('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'All done.' } }));
    response.write(line('content_block_stop', { index: 0 }));
    response.write(line('message_delta', { delta: { stop_reason: 'end_turn' }, usage }));
    response.end(line('message_stop', {}));
  });
}).listen(0, '127.0.0.1', function () {
  console.log(this.address().port);
});
END

# Asks one short question of a model that answers with status $1 (0: as it should), with the further arguments.
# Writes result.json, the exit code and, in `asked`, a line per request: how many tools it offers.
ask() {
  local status="$1"
  shift
  rm -rf asked port home config work
  mkdir home config work
  : > asked
  node model.mjs "$status" > port &
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
  echo "$1: subtype $(field subtype), is_error $(field is_error), exit $code, result: $(field result)"
  [ "$(field subtype) $(field is_error) $code" = "$2" ] && [[ "$(field result)" == *"$3"* ]]
}
look 0 'success false 0' 'All done.' && look 404 'success true 1' 'Run --model' &&
  look 413 'success true 1' 'images and attachments' ||
  { echo "This is no longer what happens." >&2; exit 1; }
