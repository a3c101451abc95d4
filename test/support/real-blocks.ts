/**
 * A model's side that says what the rehearsal model does not: thinking, hidden thinking, and the fields that the real API
 * puts on its blocks. It calls a tool once, so that the CLI sends all of it back; then it says `Looked.`
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bodyOf, event } from './upstream.ts';

type Block = { type: string } & Record<string, unknown>;

const FIRST: Block[] = [
  { type: 'thinking', thinking: 'I look.', signature: 'c2lnbmVk' },
  { type: 'redacted_thinking', data: 'aGlkZGVu' },
  { type: 'text', text: 'I look.', citations: null },
  { type: 'tool_use', id: 'toolu_real_1', name: 'Bash', input: {}, caller: { type: 'direct' } },
];
const INPUT = JSON.stringify({ command: 'echo looked', description: 'look' });
const SECOND: Block[] = [{ type: 'text', text: 'Looked.', citations: null }];

export async function startRealBlocks(): Promise<{ url: string; close(): void }> {
  const server = createServer(async (incoming, response) => {
    const body = (await bodyOf(incoming)).toString('utf8');
    say(response, body.includes('toolu_real_1') ? SECOND : FIRST);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function say(response: ServerResponse, blocks: Block[]): void {
  const usage = { input_tokens: 10, output_tokens: 5 };
  const message = {
    id: 'msg_real',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    content: [],
  };
  const stop = blocks.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn';
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(
    event('message_start', { message: { ...message, stop_reason: null, stop_sequence: null, usage } }),
  );
  for (const [index, block] of blocks.entries()) {
    response.write(event('content_block_start', { index, content_block: emptied(block) }));
    for (const delta of deltasOf(block)) response.write(event('content_block_delta', { index, delta }));
    response.write(event('content_block_stop', { index }));
  }
  response.write(event('message_delta', { delta: { stop_reason: stop, stop_sequence: null }, usage }));
  response.end(event('message_stop', {}));
}

function emptied(block: Block): Block {
  if (block.type === 'thinking') return { ...block, thinking: '', signature: '' };
  return block.type === 'text' ? { ...block, text: '' } : block;
}

function deltasOf({ type, thinking, signature, text }: Block): Record<string, unknown>[] {
  if (type === 'thinking')
    return [
      { type: 'thinking_delta', thinking },
      { type: 'signature_delta', signature },
    ];
  if (type === 'text') return [{ type: 'text_delta', text }];
  return type === 'tool_use' ? [{ type: 'input_json_delta', partial_json: INPUT }] : [];
}
