import { describe, expect, test } from 'vitest';
import { ConfigError } from '../src/errors.ts';
import { parseModelScript } from './model-script.ts';

function problemsOf(yaml: string): string[] {
  try {
    parseModelScript(yaml, 'script.yaml');
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((p) => `${p.path}: ${p.problem}`);
    throw error;
  }
  return [];
}

describe('parseModelScript', () => {
  test('fills in what a script leaves out', () => {
    const script = parseModelScript('scenes: [{ name: a, steps: [{ text: hi }] }]', 'script.yaml');
    expect(script.scenes[0]).toMatchObject({ when: {}, recall: {}, steps: [{ tools: [], faults: [] }] });
    expect(script.fallback.text).toBe('Done.');
    expect(script.side.text).toBe('ok');
    expect(parseModelScript('', 'empty.yaml').scenes).toEqual([]);
  });

  test('compiles patterns that ignore case and reach over lines', () => {
    const script = parseModelScript(
      "scenes: [{ name: a, when: { prompt: 'fix.bug' }, steps: [{ text: hi }] }]",
      's',
    );
    expect(script.scenes[0]?.when.prompt?.test('please FIX\nBUG')).toBe(true);
  });

  test.each([
    ['a: [', ': is no valid YAML'],
    [
      "scenes: [{ name: a, when: { prompt: '(' }, steps: [{ text: hi }] }]",
      'scenes.0.when.prompt: is no regular',
    ],
    ["scenes: [{ name: a, steps: [{ text: '{{ x' }] }]", 'scenes.0.steps.0.text: is no Liquid template'],
    [
      "scenes: [{ name: a, steps: [{ tools: [{ name: Bash, input: { deep: ['{% no %}'] } }] }] }]",
      'scenes.0.steps.0.tools.0.input.deep.0: is no Liquid template',
    ],
    ['scenes: [{ name: a, steps: [{}] }]', 'scenes.0.steps.0: has neither text nor tools'],
    ['scenes: [{ name: a, steps: [{ text: hi, txt: x }] }]', 'scenes.0.steps.0: Unrecognized key: "txt"'],
    [
      'scenes: [{ name: a, steps: [{ text: a }] }, { name: a, steps: [{ text: b }] }]',
      'two scenes named "a"',
    ],
    ['fallback: { text: a, faults: [{ times: 2 }] }', 'fallback.faults.0: names 0 faults'],
    [
      'fallback: { text: a, faults: [{ error: { status: 500 }, slow: {} }] }',
      'fallback.faults.0: names 2 faults; one entry is one of error, disconnect, stall, slow, refusal, max_tokens, hold',
    ],
    ['fallback: { text: a, faults: [{ error: { status: 200 } }] }', 'fallback.faults.0.error.status: '],
    [
      'fallback: { text: a, faults: [{ disconnect: { after: lunch } }] }',
      'fallback.faults.0.disconnect.after: ',
    ],
  ])('names what is wrong in %s', (yaml, expected) => {
    expect(problemsOf(yaml).join('\n')).toContain(expected);
  });

  test('ends each message with the remedy and names file and value', () => {
    expect(() => parseModelScript('fallback: { text: 7 }', 'demo.yaml')).toThrow(
      /^demo\.yaml: fallback\.text \(value: 7\): .*docs\/rehearsal-model\.md shows\.$/,
    );
  });

  test('takes a step without a reply if its fault never ends', () => {
    expect(problemsOf('fallback: { text: "", faults: [{ error: { status: 401 }, times: always }] }')).toEqual(
      [],
    );
  });
});
