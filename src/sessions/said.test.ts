import { expect, test } from 'vitest';
import { saidAfter } from './said.ts';

const lines = (...all: object[]) => Buffer.from(`${all.map((one) => JSON.stringify(one)).join('\n')}\n`);
const user = (content: unknown, more = {}) => ({
  type: 'user',
  uuid: 'u',
  message: { role: 'user', content },
  ...more,
});
const assistant = (content: unknown, more = {}) => ({
  type: 'assistant',
  uuid: 'a',
  message: { role: 'assistant', model: 'sonnet', content },
  ...more,
});
const text = (said: string) => [{ type: 'text', text: said }];

test('what a person typed, what the model said and what it called, after the line that was known', () => {
  const bytes = lines(
    assistant(text('Known.'), { uuid: 'head' }),
    { type: 'mode', mode: 'normal' },
    user('Look here.'),
    assistant([...text('I look.'), { type: 'tool_use', id: 't', name: 'Bash', input: { command: 'ls' } }]),
    user([{ type: 'tool_result', tool_use_id: 't', content: 'a.ts' }]),
    assistant(text('Found.')),
  );
  expect(saidAfter(bytes, 'head')).toEqual([
    { kind: 'prompt', content: 'Look here.', uuid: 'u' },
    { kind: 'text', content: 'I look.', uuid: 'a' },
    { kind: 'tool', content: 'Bash {"command":"ls"}', uuid: null },
    { kind: 'text', content: 'Found.', uuid: 'a' },
  ]);
  expect(saidAfter(bytes, null)).toHaveLength(5);
});

test('the CLI’s own words, its commands, errors, subagents and torn lines say nothing', () => {
  const bytes = Buffer.concat([
    lines(
      user('<command-name>/exit</command-name>'),
      user('<local-command-stdout>Bye</local-command-stdout>'),
      user('A reminder.', { isMeta: true }),
      user('For a subagent.', { isSidechain: true }),
      assistant(text('API Error'), { isApiErrorMessage: true }),
      {
        type: 'assistant',
        uuid: 'x',
        message: { model: '<synthetic>', content: text('No response requested.') },
      },
    ),
    Buffer.from('{"type":"user","mess'),
  ]);
  expect(saidAfter(bytes, null)).toEqual([]);
});
