/** What the rehearsal model plays in a probe, and what is asked of it. */
import { type ModelScript, parseModelScript } from '../../../rehearsal/model-script.ts';

/** The shell computes 42, so the answer proves that the command was run. */
const SHELL_COMMAND = 'echo "smoke-$((6 * 7))-shell uid-$(id -u)"';
export const SHELL_ANSWER = /smoke-42-shell uid-\d+/;

export const PLANT = (fact: string) => `claude-hooks smoke: keep in mind that the fact is ${fact}.`;
export const RECALL = 'claude-hooks smoke: what was the fact?';
export const PUSH = 'claude-hooks smoke: push the branch.';

export function probeScript(): ModelScript {
  const push = [
    'git commit --quiet --allow-empty --message smoke',
    '{ git push origin HEAD 2>&1; echo "push ended with $?"; }',
  ].join(' && ');
  return parseModelScript(
    JSON.stringify({
      scenes: [
        {
          name: 'plant',
          when: { prompt: 'smoke: keep in mind' },
          steps: [
            { text: 'Noted.', tools: [{ name: 'Bash', input: { command: SHELL_COMMAND } }] },
            { text: 'Kept.' },
          ],
        },
        { name: 'recall', when: { prompt: 'smoke: what was' }, steps: [{ text: 'It was in my history.' }] },
        {
          name: 'push',
          when: { prompt: 'smoke: push' },
          steps: [
            { text: 'Pushing.', tools: [{ name: 'Bash', input: { command: push } }] },
            { text: 'Done.' },
          ],
        },
      ],
    }),
    'the smoke script',
  );
}
