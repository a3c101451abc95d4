import { describe, expect, test } from 'vitest';
import { readConversation } from './model-conversation.ts';
import type { ContentBlock, Message } from './model-request.ts';

const user = (...content: (string | ContentBlock)[]): Message => ({
  role: 'user',
  content: content.map((c) => (typeof c === 'string' ? { type: 'text', text: c } : c)),
});
const assistant = (...content: (string | ContentBlock)[]): Message => ({
  ...user(...content),
  role: 'assistant',
});
const system = (text: string): Message => ({ role: 'system', content: text });
const call = (id: string): ContentBlock => ({ type: 'tool_use', id, name: 'Bash', input: { command: 'ls' } });
const result = (id: string, content: string): ContentBlock => ({
  type: 'tool_result',
  tool_use_id: id,
  content,
});
const read = (...messages: Message[]) => readConversation({ model: 'm', messages });
const REMINDER = '<system-reminder>\nkeep it short\n</system-reminder>\n';

describe('readConversation', () => {
  test('a first prompt has no history, whatever notes the CLI puts around it', () => {
    const c = read(
      user(REMINDER, 'fix it'),
      system('# Environment\n - Primary working directory: /work/tree\n - x'),
    );
    expect(c).toMatchObject({
      prompt: 'fix it',
      historyMessages: 0,
      history: '',
      step: 0,
      cwd: '/work/tree',
    });
  });

  test('finds the working directory in a reminder, too, and follows a move', () => {
    const note = (text: string) =>
      `<system-reminder>\n - Primary working directory: ${text}\n - x\n</system-reminder>`;
    const c = read(user(note('/old'), 'go'), assistant('ok'), user(note('/new tree (was /old)'), 'on'));
    expect(c).toMatchObject({ cwd: '/new tree', prompt: 'on' });
    expect(c.systemText).toContain('/old');
    expect(read(user('go')).cwd).toBe('.');
  });

  test('tool round trips since the prompt are the step; parallel calls are one', () => {
    const c = read(
      user('old'),
      assistant('old answer'),
      user('new'),
      assistant('hm', call('a'), call('b')),
      user(result('a', 'first'), result('b', 'second'), REMINDER),
      system('a note'),
      assistant(call('c')),
      user(result('c', `third\n\n${REMINDER}`)),
    );
    expect(c).toMatchObject({ prompt: 'new', step: 2, historyMessages: 2, lastToolResult: 'third' });
    expect(c.history).toBe('old\nold answer');
    expect(c.everything).toContain('second');
  });

  test('an answer that came in two assistant messages is one step', () => {
    expect(read(user('p'), assistant('half'), assistant(call('a')), user(result('a', 'x'))).step).toBe(1);
  });

  test('an interrupted turn that the CLI closed by itself counts neither as step nor as history', () => {
    const closed = read(user('one'), assistant('No response requested.'), user('two'));
    expect(closed).toMatchObject({ prompt: 'two', step: 0, historyMessages: 1 });
    const open = read(user('one'), assistant('No response requested.'));
    expect(open).toMatchObject({ prompt: 'one', step: 0 });
  });

  test('an interruption note is no prompt', () => {
    const c = read(
      user('one'),
      assistant(call('a')),
      user(result('a', 'rejected'), '[Request interrupted by user for tool use]'),
    );
    expect(c).toMatchObject({ prompt: 'one', step: 1 });
  });

  test('a failed prompt that the CLI merged into the next one stays part of it', () => {
    expect(read(user('FAILED\n', 'RETRY')).prompt).toBe('FAILED\nRETRY');
  });

  test('the summary of a compaction is history, not prompt', () => {
    const c = read(
      user('This session is being continued from a previous conversation. the fact is owl', 'go on'),
    );
    expect(c).toMatchObject({ prompt: 'go on', historyMessages: 1 });
    expect(c.history).toContain('owl');
    const midTurn = read(user('This session is being continued from a previous conversation. Go on.'));
    expect(midTurn).toMatchObject({ prompt: '', historyMessages: 1, step: 0 });
  });

  test('a reminder cannot pass for history', () => {
    const c = read(
      user('<system-reminder>the fact is owl</system-reminder>', 'a'),
      assistant('b'),
      user('c'),
    );
    expect(c.everything).not.toContain('owl');
  });
});
