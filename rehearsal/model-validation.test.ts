import { describe, expect, test } from 'vitest';
import { findInvalid } from './model-validation.ts';

const use = (id: string) => ({
  role: 'assistant',
  content: [{ type: 'tool_use', id, name: 'Bash', input: {} }],
});
const result = (id: string) => ({
  role: 'user',
  content: [{ type: 'tool_result', tool_use_id: id, content: 'x' }],
});
const prompt = { role: 'user', content: 'hi' };
const check = (...messages: unknown[]) => findInvalid({ model: 'm', messages });

describe('findInvalid', () => {
  test('lets a whole conversation pass, mid-conversation system turns included', () => {
    const note = { role: 'system', content: 'note' };
    expect(
      check(prompt, note, use('a'), note, result('a'), { role: 'assistant', content: 'ok' }, prompt),
    ).toBeNull();
  });

  test('takes neighbours of one role for one message', () => {
    expect(check(prompt, use('a'), use('b'), result('a'), result('b'))).toBeNull();
  });

  test.each([
    [
      'a call without its result',
      [prompt, use('a'), prompt],
      /messages\.1: `tool_use` ids were found without .*: a\./,
    ],
    ['a call at the end', [prompt, use('a')], /without `tool_result` blocks immediately after: a/],
    ['a result without its call', [prompt, result('a')], /unexpected `tool_use_id` .*: a\./],
    ['a call id used twice', [prompt, use('a'), result('a'), use('a'), result('a')], /ids must be unique: a/],
    [
      'an assistant who speaks first',
      [{ role: 'assistant', content: 'x' }],
      /first message must use the "user" role/,
    ],
    ['an empty text block', [{ role: 'user', content: [{ type: 'text', text: '' }] }], /must be non-empty/],
    ['an empty message', [{ role: 'user', content: [] }], /non-empty content/],
    ['an unknown role', [{ role: 'robot', content: 'x' }], /messages\.0\.role/],
    ['no message', [], /at least one message/],
  ])('refuses %s', (_, messages, expected) => {
    expect(check(...messages)).toMatch(expected);
  });

  test('refuses a fifth cache marker', () => {
    const block = { type: 'text', text: 'x', cache_control: { type: 'ephemeral' } };
    expect(check({ role: 'user', content: Array(4).fill(block) })).toBeNull();
    expect(check({ role: 'user', content: Array(5).fill(block) })).toMatch(/maximum of 4 .* Found 5/);
  });

  test('refuses what is no request', () => {
    expect(findInvalid(null)).toMatch(/valid dictionary/);
    expect(findInvalid({ messages: [prompt] })).toBe('model: Field required');
    expect(findInvalid({ model: 'm' })).toBe('messages: Field required');
  });
});
