/** The script of `demo --team`: what each agent's model does, and whose words it has to find in its own history. */
export const TEAM_SCRIPT = `
scenes:
  - name: work
    when: { prompt: 'assigned this to you' }
    steps:
      - tools: [{ name: Bash, input: { command: 'sed -i "s/nam!/name!/" greet.sh && git commit -q -am "Greet by the right variable" && sh test.sh', description: 'Mend, test and commit' } }]
      - text: The greeting used an undefined variable. I corrected it; the test passes.
  - name: mend
    when: { prompt: 'CI failed in' }
    steps:
      - tools: [{ name: Bash, input: { command: 'printf "#!/bin/sh\\nexec sh test.sh\\n" > check.sh && git add -A && git commit -q -m "Add the check that CI runs"', description: 'Add what CI misses' } }]
      - text: CI runs check.sh, which was not there. I added it.
  - name: review
    when: { prompt: 'Review this pull request' }
    steps:
      - tools: [{ name: Bash, input: { command: 'sh test.sh; cat greet.sh', description: 'Test and read' } }]
      - text: |
          Verdict: request-changes

          - important, \`greet.sh:3\`: without a name the script ends with an error of the shell.
  - name: rework
    when: { prompt: 'Go through every point of the review' }
    steps:
      - tools: [{ name: Bash, input: { command: 'sed -i "s/name=.1/name=\\\${1:-you}/" greet.sh && git commit -q -am "Greet whoever gives no name" && sh test.sh', description: 'Address the review' } }]
      - text: 'greet.sh:3: whoever gives no name is greeted as "you".'
  - name: review-again
    when: { prompt: 'Review the pull request as it is now', history: 'greet\\.sh:3' }
    steps:
      - tools: [{ name: Bash, input: { command: 'sh greet.sh', description: 'Check the point' } }]
      - text: |
          Verdict: approve

          My point is dealt with.
  - name: merge
    when: { prompt: 'with the tool .merge.' }
    recall: { head: 'merge it at ([0-9a-f]{40})' }
    steps:
      - tools: [{ name: mcp__forge__merge, input: { number: 2, head_sha: '{{ recall.head }}' } }]
      - text: It was approved and green, so I merged it.
fallback: { text: 'I have nothing to add.' }
`;
