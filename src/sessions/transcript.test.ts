import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  apiErrorLine,
  assistantLine,
  textBlock,
  toolResultLine,
  toolUseBlock,
  transcriptOf,
  userLine,
} from '../../test/support/transcript-lines.ts';
import {
  endBeforeUnanswered,
  headOf,
  historyMessages,
  holds,
  readTranscript,
  type Tail,
  tailAfter,
  withoutBadLines,
} from './transcript.ts';

const thinking = { type: 'thinking', thinking: 'let me see', signature: 'x' };

/** A first exchange with a tool call in it, ended; `a3` is its head. */
const FIRST = [
  { type: 'queue-operation', operation: 'enqueue', sessionId: 'session-1' },
  userLine('u1', 'Correct the totals.'),
  assistantLine('a1', thinking, { stop: 'tool_use' }),
  assistantLine('a2', toolUseBlock('toolu_1'), { stop: 'tool_use' }),
  toolResultLine('r1', 'toolu_1'),
  assistantLine('a3', textBlock('Done.'), { id: 'msg_2', stop: 'end_turn' }),
];

describe('readTranscript', () => {
  test('reads the user and assistant lines and counts the rest', () => {
    const bytes = transcriptOf([...FIRST, { type: 'summary', summary: 'totals' }]);
    const transcript = readTranscript(bytes);
    expect(transcript).toMatchObject({ lines: 7, badLines: 0, endsWithNewline: true, cliVersion: '2.1.330' });
    expect(transcript.size).toBe(bytes.length);
    expect(transcript.entries.map((e) => e.uuid)).toEqual(['u1', 'a1', 'a2', 'r1', 'a3']);
    expect(transcript.entries[2]).toEqual({
      uuid: 'a2',
      role: 'assistant',
      sidechain: false,
      text: '',
      toolUses: ['toolu_1'],
      toolResults: [],
      synthetic: false,
      model: 'claude-sonnet-4-5',
      stopReason: 'tool_use',
    });
    expect(transcript.entries[3]!.toolResults).toEqual(['toolu_1']);
    expect(transcript.entries[4]).toMatchObject({ text: 'Done.', stopReason: 'end_turn' });
  });

  test('takes content that is a plain string, and several text blocks', () => {
    const plain = { type: 'user', uuid: 'u1', message: { role: 'user', content: 'plain' } };
    const content = [textBlock('one'), { type: 'image' }, textBlock('two'), null, 'stray'];
    const several = { type: 'user', uuid: 'u2', message: { role: 'user', content } };
    const transcript = readTranscript(transcriptOf([plain, several]));
    expect(transcript.entries.map((e) => e.text)).toEqual(['plain', 'one\ntwo']);
  });

  test('counts lines that do not parse, and a line that was cut', () => {
    const whole = transcriptOf(FIRST);
    const cut = readTranscript(whole.subarray(0, whole.length - 10));
    expect(cut).toMatchObject({ lines: 6, badLines: 1, endsWithNewline: false });
    expect(cut.entries.at(-1)!.uuid).toBe('r1');
    const odd = readTranscript(Buffer.from('[1]\n"text"\nnull\n\n  \n{"type":"user"}\n\0\0\0\n'));
    expect(odd).toMatchObject({ lines: 5, badLines: 4, entries: [] });
  });

  test('of nothing is nothing', () => {
    expect(readTranscript(new Uint8Array())).toEqual({
      entries: [],
      inputs: [],
      lines: 0,
      badLines: 0,
      size: 0,
      endsWithNewline: true,
      cliVersion: null,
    });
  });

  test('marks what the CLI made up in the model’s place', () => {
    const noResponse = assistantLine('a1', textBlock('No response requested.'), { model: '<synthetic>' });
    const transcript = readTranscript(
      transcriptOf([noResponse, apiErrorLine('a2'), userLine('u1', 'caveat', { isMeta: true })]),
    );
    expect(transcript.entries.map((e) => e.synthetic)).toEqual([true, true, true]);
  });

  test('is not thrown by ids that are no text', () => {
    const unprintable = { toString: 1, valueOf: 1 };
    const transcript = readTranscript(
      transcriptOf([
        assistantLine('a1', { type: 'tool_use', id: unprintable }),
        { ...toolResultLine('r1', 'x'), message: { content: [{ type: 'tool_result', tool_use_id: [] }] } },
      ]),
    );
    // Still a tool call and still an answer to one, whatever they are called.
    expect(transcript.entries.map((e) => [e.toolUses.length, e.toolResults.length])).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});

describe('the head', () => {
  const headOfLines = (lines: object[]) => headOf(readTranscript(transcriptOf(lines)));

  test('is the last answer of the model on the main thread', () => {
    expect(headOfLines(FIRST)).toBe('a3');
    const subagent = { ...assistantLine('s1', textBlock('sub')), isSidechain: true };
    expect(headOfLines([...FIRST, subagent])).toBe('a3');
    expect(headOfLines([...FIRST, userLine('u2', 'more'), apiErrorLine('e1')])).toBe('a3');
  });

  test('is null where the model said nothing', () => {
    expect(headOfLines([])).toBeNull();
    expect(headOfLines([userLine('u1', 'hello'), apiErrorLine('e1')])).toBeNull();
  });

  test('is held by the transcript it is from', () => {
    const transcript = readTranscript(transcriptOf(FIRST));
    expect([holds(transcript, 'a3'), holds(transcript, 'a9')]).toEqual([true, false]);
  });
});

test('historyMessages counts neighbouring lines of one role as one', () => {
  const subagent = { ...userLine('s1', 'sub'), isSidechain: true };
  expect(historyMessages(readTranscript(transcriptOf([...FIRST, subagent])))).toBe(4);
  expect(historyMessages(readTranscript(new Uint8Array()))).toBe(0);
});

describe('tailAfter', () => {
  const prompt = userLine('u2', 'And the tests?');
  const call = assistantLine('a4', toolUseBlock('toolu_2'), { id: 'msg_3', stop: 'tool_use' });
  const result = toolResultLine('r2', 'toolu_2');
  const answer = assistantLine('a5', textBlock('Green.'), { id: 'msg_4', stop: 'end_turn' });
  const meta = userLine('m1', 'caveat', { isMeta: true });
  const subagent = { ...answer, uuid: 's1', isSidechain: true };

  test.each<[string, object[], Tail]>([
    ['nothing', [], { kind: 'nothing' }],
    ['a subagent’s late line', [subagent], { kind: 'nothing' }],
    ['the prompt', [prompt], { kind: 'unanswered' }],
    ['the prompt and an API error', [prompt, apiErrorLine('e1')], { kind: 'unanswered' }],
    ['a subagent’s answer only', [prompt, subagent], { kind: 'unanswered' }],
    ['a tool call', [prompt, call], { kind: 'mid-turn' }],
    ['a tool result', [prompt, call, result], { kind: 'mid-turn' }],
    ['an API error after work', [prompt, call, result, apiErrorLine('e1')], { kind: 'mid-turn' }],
    [
      'text that was cut off',
      [prompt, assistantLine('a4', textBlock('I will'), { stop: null })],
      { kind: 'mid-turn' },
    ],
    [
      'text that reached the length limit',
      [prompt, assistantLine('a4', textBlock('I will'), { stop: 'max_tokens' })],
      { kind: 'mid-turn' },
    ],
    ['an answer', [prompt, answer], { kind: 'answered', answer: 'Green.', head: 'a5' }],
    [
      'work and an answer',
      [prompt, call, result, answer],
      { kind: 'answered', answer: 'Green.', head: 'a5' },
    ],
    [
      'an answer and a subagent’s late line',
      [prompt, answer, subagent],
      { kind: 'answered', answer: 'Green.', head: 'a5' },
    ],
    ['an answer and a further prompt', [prompt, answer, userLine('u3', 'more')], { kind: 'mid-turn' }],
    ['a caveat of the CLI only', [meta], { kind: 'unanswered' }],
    ['the rest of the verified answer', [assistantLine('a4', textBlock('more'))], { kind: 'mid-turn' }],
  ])('%s', (_, lines, tail) => {
    expect(tailAfter(readTranscript(transcriptOf([...FIRST, ...lines])), 'a3')).toEqual(tail);
  });

  test('without a head is the whole transcript', () => {
    const transcript = readTranscript(transcriptOf(FIRST));
    expect(tailAfter(transcript, null)).toEqual({ kind: 'answered', answer: 'Done.', head: 'a3' });
    expect(tailAfter(readTranscript(new Uint8Array()), null)).toEqual({ kind: 'nothing' });
  });
});

describe('endBeforeUnanswered', () => {
  const prompt = userLine('u2', 'And the tests?');
  const call = assistantLine('a4', toolUseBlock('toolu_2'), { id: 'msg_3', stop: 'tool_use' });
  const work = [prompt, call, toolResultLine('r2', 'toolu_2')];
  const failed = [userLine('u3', 'You were cut off. And the tests?'), apiErrorLine('e2')];

  test.each<[string, object[], string | null]>([
    ['nothing to leave out', [], null],
    ['a prompt without an answer: all of it', [prompt, apiErrorLine('e1')], 'a3'],
    ['work: all is kept', [...work, apiErrorLine('e1')], null],
    ['work and a prompt without an answer: the work is kept', [...work, ...failed], 'r2'],
    ['several such prompts', [...work, ...failed, ...failed], 'r2'],
    ['a call that was not answered', [prompt, call, ...failed], 'a4'],
    ['an answer', [prompt, assistantLine('a4', textBlock('Green.'))], null],
  ])('%s', (_, lines, end) => {
    expect(endBeforeUnanswered(readTranscript(transcriptOf([...FIRST, ...lines])), 'a3')).toBe(end);
  });
});

describe('withoutBadLines', () => {
  test('keeps the good lines byte for byte and ends with a newline', () => {
    const good = [
      Buffer.from(JSON.stringify(userLine('u1', 'ünïcode 🦑'))),
      Buffer.concat([Buffer.from('{"type":"user","text":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
      Buffer.from('  {"spaced" :  1}\r'),
    ];
    const newline = Buffer.from('\n');
    const damaged = Buffer.concat([
      good[0]!,
      Buffer.from('\n{"cut": "in the mid\n\n[1]\n'),
      good[1]!,
      newline,
      good[2]!,
    ]);
    const mended = Buffer.concat(good.flatMap((line) => [line, newline]));
    expect(Buffer.from(withoutBadLines(damaged))).toEqual(mended);
  });

  test('leaves a transcript in order as it is', () => {
    const bytes = transcriptOf(FIRST);
    expect(Buffer.from(withoutBadLines(bytes))).toEqual(bytes);
  });
});

describe('any bytes', () => {
  const line = fc.oneof(
    fc.constantFrom(...FIRST, apiErrorLine('e1')).map((object) => Buffer.from(JSON.stringify(object))),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .record({
        type: fc.constantFrom('user', 'assistant', 'system'),
        uuid: fc.oneof(fc.string(), fc.jsonValue()),
        message: fc.oneof(fc.jsonValue(), fc.record({ content: fc.array(fc.jsonValue()) })),
      })
      .map((object) => Buffer.from(JSON.stringify(object))),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  );
  const file = fc
    .tuple(fc.array(line, { maxLength: 8 }), fc.constantFrom('\n', '\r\n', '\n\n', ''))
    .map(([lines, end]) => Buffer.concat(lines.flatMap((bytes) => [bytes, Buffer.from(end)])));

  test('are read without a throw', () => {
    fc.assert(
      fc.property(file, fc.string(), (bytes, head) => {
        const transcript = readTranscript(bytes);
        expect(transcript.badLines + transcript.entries.length).toBeLessThanOrEqual(transcript.lines);
        headOf(transcript);
        historyMessages(transcript);
        tailAfter(transcript, head);
        tailAfter(transcript, headOf(transcript));
      }),
    );
  });

  test('are mended once: the result has no bad line, and mending it again changes nothing', () => {
    fc.assert(
      fc.property(file, (bytes) => {
        const mended = withoutBadLines(bytes);
        const before = readTranscript(bytes);
        const after = readTranscript(mended);
        expect(after.badLines).toBe(0);
        expect(after.endsWithNewline).toBe(true);
        expect(after.entries).toEqual(before.entries);
        expect(after.lines).toBe(before.lines - before.badLines);
        expect(Buffer.from(withoutBadLines(mended))).toEqual(Buffer.from(mended));
      }),
    );
  });
});
