#!/usr/bin/env bash
# Claude Code 2.1.330 (from @anthropic-ai/claude-agent-sdk 0.3.330): settings with one value of a wrong type.
#
# Guessed: the value is refused with an error and a failing exit code, or it alone is left out.
# Seen:    none of the settings is in force, permission rules and hooks included. The run goes on, answers and ends with 0;
#          the only sign is a note on stderr, which a program that reads the result does not see.
#
#   settings as they should be:     model asked for: claude-opus-4-5, exit 0
#   one number written as a word:   model asked for: another one,     exit 0, stderr: "did not load"
#   an unknown key beside it:       model asked for: claude-opus-4-5, exit 0
set -euo pipefail

folder="$(mktemp -d)"
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @anthropic-ai/claude-agent-sdk@0.3.330 > /dev/null
cli="$(echo "$folder"/node_modules/@anthropic-ai/claude-agent-sdk-linux-*/claude | tr ' ' '\n' | grep -v musl | head -1)"

# The smallest model that the CLI takes an answer from; it writes down which model was asked for.
cat > model.mjs <<'END'
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';

const line = (type, rest) => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    if (!request.url.startsWith('/v1/messages?') && request.url !== '/v1/messages') {
      response.writeHead(404).end();
      return;
    }
    const { model } = JSON.parse(Buffer.concat(chunks).toString());
    appendFileSync('asked', `${model}\n`);
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model, content: [] };
    const usage = { input_tokens: 1, output_tokens: 1 };
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(line('message_start', { message: { ...message, stop_reason: null, usage } }));
    response.write(line('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }));
    response.write(line('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'ok' } }));
    response.write(line('content_block_stop', { index: 0 }));
    response.write(line('message_delta', { delta: { stop_reason: 'end_turn' }, usage }));
    response.end(line('message_stop', {}));
  });
}).listen(0, '127.0.0.1', function () {
  console.log(this.address().port);
});
END
node model.mjs > port &
server=$!
until [ -s port ]; do sleep 0.1; done
mkdir home config work

# Answers "<model asked for> <exit code> <whether stderr speaks of settings that did not load>".
try() {
  local code=0 said=no
  : > asked
  (cd work && env -i PATH="$PATH" HOME="$folder/home" CLAUDE_CONFIG_DIR="$folder/config" \
    ANTHROPIC_BASE_URL="http://127.0.0.1:$(cat ../port)" ANTHROPIC_API_KEY=sk-ant-test IS_SANDBOX=1 \
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_AUTOUPDATER=1 \
    "$cli" -p hi --settings "$1" < /dev/null > /dev/null 2> ../stderr) || code=$?
  grep -q 'did not load' stderr && said=yes
  echo "$(tail -1 asked) $code $said"
}

echo "version: $("$cli" --version)"
right="$(try '{"model":"claude-opus-4-5"}')"
wrong="$(try '{"model":"claude-opus-4-5","cleanupPeriodDays":"thirty"}')"
unknown="$(try '{"model":"claude-opus-4-5","nobodyKnowsThis":3}')"
printf 'as they should be:   %s\none wrong type:      %s\nan unknown key:      %s\n' "$right" "$wrong" "$unknown"

[ "$right" = "claude-opus-4-5 0 no" ] && [ "$unknown" = "claude-opus-4-5 0 no" ] &&
  [[ "$wrong" == *" 0 yes" ]] && [[ "$wrong" != claude-opus-4-5\ * ]] ||
  { echo "This is no longer what happens." >&2; exit 1; }
