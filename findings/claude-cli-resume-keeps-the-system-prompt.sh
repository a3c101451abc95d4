#!/usr/bin/env bash
# Claude Code 2.1.330 (from @anthropic-ai/claude-agent-sdk 0.3.330): another system prompt for a session that goes on.
#
# Guessed: what is given with `--append-system-prompt` or `--system-prompt` stands in the requests of that run, as it does for
#          a new session; or it is refused beside `--resume`.
# Seen:    it is left out without a word. The CLI sends the system prompt that it recorded at the session's first request,
#          old addition and all, and ends with 0. So rules that were changed meanwhile never reach the model. The types of the
#          SDK tell of it (`systemPrompt.snapshot`), the help of the CLI does not.
#
#   new session, addition RULE-ONE:        the request holds RULE-ONE
#   resumed,     addition RULE-TWO:        the request holds RULE-ONE
#   resumed,     whole prompt RULE-THREE:  the request holds RULE-ONE
#   new session, addition RULE-TWO:        the request holds RULE-TWO
set -euo pipefail

folder="$(mktemp -d)"
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @anthropic-ai/claude-agent-sdk@0.3.330 > /dev/null
cli="$(echo "$folder"/node_modules/@anthropic-ai/claude-agent-sdk-linux-*/claude | tr ' ' '\n' | grep -v musl | head -1)"

# The smallest model that the CLI takes an answer from; it writes down which rules stand in the system prompt.
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
    const { model, system } = JSON.parse(Buffer.concat(chunks).toString());
    appendFileSync('rules', `${[...new Set(JSON.stringify(system).match(/RULE-[A-Z]+/g))].join('+')}\n`);
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

# Answers "<rules in the last request> <exit code> <bytes on stderr>".
try() {
  local code=0
  : > rules
  (cd work && env -i PATH="$PATH" HOME="$folder/home" CLAUDE_CONFIG_DIR="$folder/config" \
    ANTHROPIC_BASE_URL="http://127.0.0.1:$(cat ../port)" ANTHROPIC_API_KEY=sk-ant-test IS_SANDBOX=1 \
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_AUTOUPDATER=1 \
    "$cli" -p hi --model claude-opus-4-5 "$@" < /dev/null > /dev/null 2> ../stderr) || code=$?
  echo "$(tail -1 rules) $code $(grep -ci 'system prompt' stderr || true)"
}

echo "version: $("$cli" --version)"
id=11111111-2222-4333-8444-555555555555
first="$(try --session-id "$id" --append-system-prompt RULE-ONE)"
added="$(try --resume "$id" --append-system-prompt RULE-TWO)"
whole="$(try --resume "$id" --system-prompt RULE-THREE)"
other="$(try --append-system-prompt RULE-TWO)"
printf 'new, RULE-ONE added:          %s\nresumed, RULE-TWO added:      %s\n' "$first" "$added"
printf 'resumed, RULE-THREE is whole: %s\nnew, RULE-TWO added:          %s\n' "$whole" "$other"

[ "$first" = "RULE-ONE 0 0" ] && [ "$added" = "RULE-ONE 0 0" ] && [ "$whole" = "RULE-ONE 0 0" ] &&
  [ "$other" = "RULE-TWO 0 0" ] ||
  { echo "This is no longer what happens." >&2; exit 1; }
