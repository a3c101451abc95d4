/**
 * What happens in every case. Each dispatch is asked for one line in one file, so doing something twice leaves a second
 * line; a code word stands in the first prompt alone, so forgetting leaves it out of what the model sees last.
 */
import { createHash } from 'node:crypto';

/** Chosen by SEED, or anew for each run of the suite. */
export const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));

/** A number below `below` that depends only on the seed and its name, so that a case can be run again. */
export function drawn(what: string, below: number): number {
  return createHash('sha256').update(`${SEED} ${what}`).digest().readUInt32BE() % below;
}

const WORDS = ['amber', 'birch', 'cobalt', 'dune', 'ember', 'fjord', 'garnet', 'heron'];

export interface Story {
  /** only in the body of the issue */
  word: string;
  /** the line the n-th dispatch is asked for, from 1 */
  line: (n: number) => string;
}

export function story(name: string): Story {
  const pick = (what: string) => `${WORDS[drawn(`${name} ${what}`, WORDS.length)]}-${drawn(what, 1e6)}`;
  return { word: pick('word'), line: (n) => `${n}-${pick(`line ${n}`)}` };
}

export const issueBody = (s: Story) =>
  `The code word is ${s.word}. Please append the line ${s.line(1)} here.`;
export const commentBody = (s: Story, n: number) => `Now append the line ${s.line(n)} as well.`;

/** Steps of a whole turn: one with a tool call, one with the answer. */
export const REQUESTS_PER_TURN = 2;

export interface Variant {
  /** shell, after the line is written and before it is committed */
  between?: string;
  /** YAML list of faults that the first reply of a turn meets */
  first?: string;
  /** … that the answer meets */
  answer?: string;
  /** … that the first reply after a cut meets */
  again?: string;
}

/**
 * An agent that is told of a cut looks before it acts. One that is not appends its line again: then the file shows that
 * somebody ran the turn twice without a word.
 */
export function modelScript(variant: Variant = {}): string {
  const line = '{{ recall.line }}';
  const look = `grep -qx ${line} lines.txt || echo ${line} >> lines.txt; git add lines.txt; git diff --cached --quiet || git commit -qm ${line}`;
  const act = `echo ${line} >> lines.txt && ${variant.between ?? ''} git add lines.txt && git commit -qm ${line}`;
  return `
scenes:
  - name: cut-off
    when: { prompt: You were cut off }
    recall: { line: 'append the line ([\\w-]+)' }
    steps:
      - tools: [{ name: Bash, input: { command: '${look}' } }]
        faults: [${variant.again ?? ''}]
      - text: 'The line ${line} is there.'
  - name: work
    when: { prompt: append the line }
    recall: { line: 'append the line ([\\w-]+)' }
    steps:
      - tools: [{ name: Bash, input: { command: '${act}' } }]
        faults: [${variant.first ?? ''}]
      - text: 'I have written ${line}.'
        faults: [${variant.answer ?? ''}]
`;
}
