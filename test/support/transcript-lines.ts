/** Transcript lines as CLI 2.1.330 writes them, down to the fields that are read. */
export interface AssistantLine {
  id?: string;
  stop?: string | null;
  model?: string;
}

const envelope = { isSidechain: false, sessionId: 'session-1', version: '2.1.330' };

export function userLine(uuid: string, text: string, more: object = {}) {
  return {
    ...envelope,
    type: 'user',
    uuid,
    message: { role: 'user', content: [{ type: 'text', text }] },
    ...more,
  };
}

export function toolResultLine(uuid: string, toolUseId: string) {
  const content = [{ type: 'tool_result', tool_use_id: toolUseId, content: 'ok' }];
  return { ...envelope, type: 'user', uuid, message: { role: 'user', content } };
}

/** The CLI writes one line for each content block; the lines of one answer share `message.id`. */
export function assistantLine(uuid: string, block: object, line: AssistantLine = {}) {
  const { id = 'msg_1', stop = null, model = 'claude-sonnet-4-5' } = line;
  const message = { id, type: 'message', role: 'assistant', model, content: [block], stop_reason: stop };
  return { ...envelope, type: 'assistant', uuid, message };
}

export const textBlock = (text: string) => ({ type: 'text', text });
export const toolUseBlock = (id: string) => ({
  type: 'tool_use',
  id,
  name: 'Bash',
  input: { command: 'ls' },
});

export function apiErrorLine(uuid: string) {
  const block = textBlock('API Error: 529 overloaded');
  return {
    ...assistantLine(uuid, block, { model: '<synthetic>', stop: 'stop_sequence' }),
    isApiErrorMessage: true,
  };
}

export function transcriptOf(lines: object[]): Buffer {
  return Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
