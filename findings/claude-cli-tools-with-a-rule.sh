#!/usr/bin/env bash
# Claude Code 2.1.330 (from @anthropic-ai/claude-agent-sdk 0.3.330): a permission rule in `--tools`.
#
# Guessed: `--tools "Bash(git status:*)"` offers Bash for that command, as the same words do in `--allowedTools`; or they are
#          refused as no name of a tool.
# Seen:    Bash is not offered at all. Nothing is said on stderr, the run goes on and ends with 0. A name that no tool has
#          goes the same way.
#
#   --tools Bash,Read:                  the request offers Bash and Read
#   --tools "Bash(git status:*),Read":  the request offers Read
#   --tools Bsah,Read:                  the request offers Read
set -euo pipefail

folder="$(mktemp -d)"
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @anthropic-ai/claude-agent-sdk@0.3.330 > /dev/null
cli="$(echo "$folder"/node_modules/@anthropic-ai/claude-agent-sdk-linux-*/claude | tr ' ' '\n' | grep -v musl | head -1)"

# The smallest model that the CLI takes an answer from; it writes down which tools it was offered.
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
    const { model, tools = [] } = JSON.parse(Buffer.concat(chunks).toString());
    appendFileSync('offered', `${tools.map(({ name }) => name).sort().join('+')}\n`);
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

# Answers "<tools in the last request> <exit code> <lines on stderr that speak of tools>".
try() {
  local code=0
  : > offered
  (cd work && env -i PATH="$PATH" HOME="$folder/home" CLAUDE_CONFIG_DIR="$folder/config" \
    ANTHROPIC_BASE_URL="http://127.0.0.1:$(cat ../port)" ANTHROPIC_API_KEY=sk-ant-test IS_SANDBOX=1 \
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_AUTOUPDATER=1 \
    "$cli" -p hi --model claude-opus-4-5 --tools "$1" < /dev/null > /dev/null 2> ../stderr) || code=$?
  echo "$(tail -1 offered) $code $(grep -ci 'tool\|bash\|bsah' stderr || true)"
}

echo "version: $("$cli" --version)"
names="$(try 'Bash,Read')"
rule="$(try 'Bash(git status:*),Read')"
wrong="$(try 'Bsah,Read')"
printf 'names:          %s\na rule:         %s\na wrong name:   %s\n' "$names" "$rule" "$wrong"

[ "$names" = "Bash+Read 0 0" ] && [ "$rule" = "Read 0 0" ] && [ "$wrong" = "Read 0 0" ] ||
  { echo "This is no longer what happens." >&2; exit 1; }
