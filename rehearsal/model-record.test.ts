import { describe, expect, test } from 'vitest';
import { sentParts } from './model-record.ts';
import type { MessagesRequest } from './model-request.ts';

const text = (said: string, marked = false) => ({
  type: 'text',
  text: said,
  ...(marked ? { cache_control: { type: 'ephemeral' } } : {}),
});
const request = (changes: Partial<MessagesRequest>): MessagesRequest => ({
  model: 'm',
  messages: [],
  ...changes,
});
const systemOf = (...blocks: object[]) => sentParts(request({ system: blocks as never }), 0).system;
const toolsOf = (...tools: object[]) => sentParts(request({ tools: tools as never }), 0).tools;

describe('the parts of a request', () => {
  test('a system prompt is its words, without markers and the billing line', () => {
    const plain = systemOf(text('You are one.'));
    expect(systemOf(text('x-anthropic-billing-header: v.a1;'), text('You are one.', true))).toBe(plain);
    expect(sentParts(request({ system: 'You are one.' }), 7)).toEqual({ bytes: 7, tools: '', system: plain });
    expect(systemOf(text('You are two.'))).not.toBe(plain);
    expect(systemOf(text('You are '), text('one.'))).not.toBe(plain);
  });

  test('tools are names, descriptions and schemas', () => {
    const read = { name: 'Read', description: 'Reads.', input_schema: { type: 'object' } };
    expect(toolsOf({ ...read, cache_control: { type: 'ephemeral' } })).toBe(toolsOf(read));
    expect(toolsOf({ ...read, description: 'Reads it.' })).not.toBe(toolsOf(read));
    expect(toolsOf(read, read)).not.toBe(toolsOf(read));
  });
});
