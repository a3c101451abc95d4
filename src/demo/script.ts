/** The demo's two scripts: what stands in the repository, and what the rehearsal model does with it. */

/** A small program with a real bug, and a test that shows it. In shell, because every container has one. */
export const REPOSITORY_FILES: Record<string, string> = {
  'README.md': '# greeter\n\n`greet.sh NAME` greets people by name. `sh test.sh` tests it.\n',
  'greet.sh': '#!/bin/sh\nset -u\nname=$1\necho "Hello, $nam!"\n',
  'test.sh': [
    'said=$(sh greet.sh Ada)',
    'test "$said" = "Hello, Ada!" || { echo "not ok: greets by name (said: $said)"; exit 1; }',
    'echo "ok: greets by name"',
    '',
  ].join('\n'),
};

/**
 * The fact is in the issue's text, so only in the first prompt. Later prompts are short; the model can recall it from
 * the history alone, and answers that it cannot when the history does not hold it.
 */
export const MODEL_SCRIPT = `
scenes:
  - name: first-dispatch
    when: { prompt: 'assigned this to you' }
    recall: { fact: 'code word is ([a-z]+-\\d+)' }
    steps:
      - text: I look at what is there.
        tools: [{ name: Bash, input: { command: 'git log --oneline && cat greet.sh && sh test.sh 2>&1', description: 'Look around and run the tests' } }]
      - text: A misspelt variable. I read the file, then mend it.
        tools: [{ name: Read, input: { file_path: '{{ cwd }}/greet.sh' } }]
      - tools: [{ name: Edit, input: { file_path: '{{ cwd }}/greet.sh', old_string: '$nam!', new_string: '$name!' } }]
      - tools: [{ name: Bash, input: { command: 'sh test.sh && git add -A && git commit -q -m "Greet by the right variable" && git log --oneline | head -n 2', description: 'Test and commit' } }]
      - text: >-
          The greeting used an undefined variable. I corrected it; the test passes. (Code word noted: {{ recall.fact }}.)
  - name: recall
    when: { prompt: 'what was the code word' }
    recall: { fact: 'code word is ([a-z]+-\\d+)' }
    steps:
      - text: I check what is really there.
        tools: [{ name: Bash, input: { command: 'git log --oneline | head -n 2 && git status --short', description: 'Check the checkout' } }]
      - text: >-
          {% if recall.fact == '' %}I do not know it: this conversation's history did not reach me.{% else %}The code word of the issue is {{ recall.fact }}, and my commit is still here.{% endif %}
  - name: follow-up
    when: { prompt: 'document' }
    steps:
      - tools: [{ name: Bash, input: { command: 'printf "\\nUsage: greet.sh NAME prints a greeting.\\n" >> README.md && git commit -q -am "Document greet.sh" && git log --oneline | head -n 1', description: 'Document and commit' } }]
      - text: I documented greet.sh in the README.
fallback: { text: 'I have nothing to add.' }
`;

export const ISSUE_TITLE = 'Greeting is broken';

export function issueBody(fact: string): string {
  return `\`greet.sh Ada\` fails. Please mend it.\n\nTo see whether you remember: the code word is ${fact}.`;
}

export const FOLLOW_UP = 'Thanks! Please document `greet.sh` in the README, too.';
export const RECALL = 'One more question: what was the code word of this issue?';
