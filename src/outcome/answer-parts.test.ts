import { describe, expect, test } from 'vitest';
import { answerLine, answerParts } from './answer-parts.ts';

describe('answerParts', () => {
  test.each<[string, string, string]>([
    ['One for all.', 'One for all.', ''],
    [`${answerLine(1)}\nA.\n\n${answerLine(2)}\nB.`, 'A.', 'B.'],
    [`${answerLine(2)}\r\nB.`, '', 'B.'],
    ['Both.\n\n**Answer for #2:**\n\nB.\n\n### Answer for issue #1\nA.', 'Both.\n\nA.', 'B.'],
    ['Answer for #1:\nA.\nAnswer for #2:\nB.\nAnswer for #1:\nMore.', 'A.\n\nMore.', 'B.'],
    // No line of its own, in code, quoted, or for a place where nobody asked.
    ['My answer for #2: it is fine.', 'My answer for #2: it is fine.', ''],
    ['```\nAnswer for #2:\n```', '```\nAnswer for #2:\n```', ''],
    ['> Answer for #2:\n\nNo.', '> Answer for #2:\n\nNo.', ''],
    ['Answer for #3:\nC.', 'Answer for #3:\nC.', ''],
  ])('%j', (answer, first, second) => {
    expect([...answerParts(answer, [1, 2])]).toEqual([
      [1, first],
      [2, second],
    ]);
  });

  test('an answer for one place is left as it is', () => {
    expect([...answerParts(' Answer for #1:\n A.\n', [1])]).toEqual([[1, ' Answer for #1:\n A.\n']]);
  });
});
