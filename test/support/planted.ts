/** A planted fact, and two ways to see what of it reaches the model later. */
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { TestConversation, Turn } from './conversation.ts';

/** PLANT reads a file with a tool and notes both facts' existence; ASK answers from history alone. */
export const SCRIPT = `
scenes:
  - name: cut-off
    when: { prompt: 'cut off' }
    steps:
      - text: I was cut off; I have checked what is there.
  - name: plant
    when: { prompt: 'PLANT' }
    steps:
      - tools: [{ name: Bash, input: { command: 'cat secret.txt', description: 'Read the secret' } }]
      - text: I have noted it.
  - name: ask
    when: { prompt: 'ASK' }
    recall: { fact: 'code word is (\\w+-\\d+)', tool: 'tool secret (\\w+-\\d+)' }
    steps:
      - text: 'fact={{ recall.fact }} tool={{ recall.tool }}'
  - name: held-before-reply
    when: { prompt: 'HOLD' }
    steps:
      - text: The code word has been read.
        faults: [{ hold: { name: before, after: request } }]
  - name: long-tool
    when: { prompt: 'LONG' }
    steps:
      - tools: [{ name: Bash, input: { command: 'echo ran >> side-effects.txt; sleep 30; echo finished >> side-effects.txt', description: 'Work for long' } }]
      - text: The long work is done.
  - name: too-much
    when: { prompt: 'ENDLESS' }
    steps:
      - text: x
        faults: [{ max_tokens: { text: and so on }, times: always }]
  - name: too-much-when-asked-to-go-on
    when: { prompt: 'Resume directly', history: 'ENDLESS' }
    steps:
      - text: x
        faults: [{ max_tokens: { text: and so on }, times: always }]
  - name: in-pieces
    when: { prompt: 'PIECES|Resume directly' }
    steps:
      - text: And this is the end.
        faults: [{ max_tokens: { text: This is the beginning. } }]
`;

export interface Planted {
  /** only in the first prompt */
  fact: string;
  /** only in the output of a tool: the transcript has it, our record does not */
  secret: string;
}

export async function plant(conversation: TestConversation, turn?: Parameters<TestConversation['turn']>[1]) {
  const planted = { fact: `amber-${randomInt(1e6)}`, secret: `vault-${randomInt(1e6)}` };
  writeFileSync(join(conversation.cwd, 'secret.txt'), `tool secret ${planted.secret}\n`);
  const first = await conversation.turn(`PLANT: the code word is ${planted.fact}`, turn);
  expect(first.outcome.kind).toBe('answered');
  return { ...planted, first };
}

/** The whole history reached the model, tool output included: it can only come from the transcript's own bytes. */
export function expectWholeHistory(turn: Turn, planted: Planted): void {
  expect(turn.history).toContain(planted.fact);
  expect(turn.history).toContain(planted.secret);
  expect(turn.outcome).toMatchObject({
    kind: 'answered',
    answer: `fact=${planted.fact} tool=${planted.secret}`,
  });
}

/** What was asked and answered reached the model; the tool's output, which the record does not keep, did not. */
export function expectRebuiltHistory(turn: Turn, planted: Planted): void {
  expect(turn.history).toContain(planted.fact);
  expect(turn.history).toContain('I have noted it.');
  expect(turn.history).not.toContain(planted.secret);
  expect(turn.outcome).toMatchObject({ kind: 'answered', continuity: 'rebuilt' });
}
