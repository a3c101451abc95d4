import type { Guard } from './guard.ts';

const ATTACKS = 'test/red-team/outgoing.test.ts';

/** What leaves with the rights of our accounts: words, tokens, files, and what is taken for ours. */
export const OUTGOING_GUARDS: Guard[] = [
  {
    name: 'outgoing: closing words',
    keeps: "a stranger's title or a restricted run's answer from closing an issue with our rights",
    off: [{ mark: 'outgoing: closing words', becomes: 'broken += text.slice(from, end);' }],
    tests: { files: [ATTACKS], named: 'words that close issues' },
  },
  {
    name: 'outgoing: only the own issue',
    keeps: 'an answer from closing another issue than that of its conversation',
    off: [
      {
        mark: 'outgoing: only the own issue',
        becomes: "if (number !== null) return o.own === null || number[1] === '';",
      },
    ],
    tests: { files: ['src/security/outgoing.test.ts'] },
  },
  {
    name: 'outgoing: one way out',
    keeps: 'a tool or the end of a run from writing past the filter',
    off: [{ mark: 'outgoing: one way out', becomes: 'return filter === undefined ? [words] : args;' }],
    tests: { files: ['src/broker/words.test.ts'] },
  },
  {
    name: 'outgoing: unknown calls',
    keeps: 'a new call of the forge from carrying words that nobody has looked at',
    off: [{ mark: 'outgoing: unknown calls', lines: 1, becomes: "if (name === '') {" }],
    tests: { files: ['src/outcome/outgoing-forge.test.ts'] },
  },
  {
    name: 'outgoing: commands',
    keeps: 'an answer from commanding other robots',
    off: [
      {
        mark: 'outgoing: commands',
        becomes: "return text.replace(SLASH, '$1/').replace(WORDS, `$1$2${BREAK}`);",
      },
    ],
    tests: { files: [ATTACKS], named: "restricted run's answer" },
  },
  {
    name: "outgoing: code after a stranger's words",
    keeps: 'a run that has read a stranger from commanding robots that read raw text',
    off: [
      {
        mark: "outgoing: code after a stranger's words",
        becomes: "if (text === '') return breakClosing(breakCommands(neutraliseAllMentions(text)), rules);",
      },
    ],
    tests: { files: ['src/broker/words.test.ts', 'src/security/outgoing.test.ts'] },
  },
  {
    name: 'outgoing: commit messages',
    keeps: 'a commit that closes another issue from being pushed',
    off: [{ mark: 'outgoing: commit messages', lines: 1, becomes: "if (words === '') {" }],
    tests: { files: [ATTACKS, 'src/broker/git-door-content.test.ts'], named: 'commit' },
  },
  {
    name: 'outgoing: words of commits in pull requests',
    keeps:
      "a stranger's commit that the forge has in a pull request only from closing issues once we have merged it",
    off: [
      {
        mark: 'outgoing: words of commits in pull requests',
        becomes: 'const ON_NO_BRANCH = ["--not", "--branches", "--tags", `--glob=${OUR_PULLS}/*`];',
      },
    ],
    tests: { files: ['src/broker/git-door-content.test.ts'], named: 'in a pull request only' },
  },
  {
    name: 'outgoing: merges of strangers',
    keeps:
      "an agent from merging a stranger's pull request, whose words close issues with the merger's rights",
    off: [
      {
        mark: 'outgoing: merges of strangers',
        becomes: 'if ((await deps.strangers([author])).length >= 0) return;',
      },
    ],
    tests: { files: ['src/broker/words.test.ts'], named: 'of a stranger is not merged' },
  },
  {
    name: 'clone: configured address',
    keeps: 'the token from going to whatever address the API names for cloning',
    off: [
      {
        mark: 'clone: configured address, part 1',
        becomes: 'remote: { url: repository.cloneUrl, token: account.token },',
      },
      { mark: 'clone: configured address, part 2', becomes: 'return { url: repository.cloneUrl, token };' },
    ],
    tests: { files: [ATTACKS], named: 'whatever address its API names' },
  },
  {
    name: 'clone: redirects',
    keeps: 'the token from following git to another host',
    off: [
      {
        mark: 'clone: redirects',
        becomes: "const STAY: [string, string] = ['http.followRedirects', 'true'];",
      },
    ],
    tests: { files: [ATTACKS], named: 'to where it is redirected' },
  },
  {
    name: 'clone: doctor',
    keeps: 'an installation whose git does not get through from looking well',
    off: [{ mark: 'clone: doctor', lines: 1, becomes: "if (trial.kind === 'failed' && url === '') {" }],
    tests: { files: ['src/checks/clones.test.ts'] },
  },
  {
    name: 'pulls: only our own is ours',
    keeps: "a stranger's pull request from our branch from being adopted",
    off: [
      {
        mark: 'pulls: only our own is ours',
        lines: 1,
        becomes: "if (existing !== null && existing.title === '') {",
      },
    ],
    tests: { files: [ATTACKS], named: 'called as ours' },
  },
  {
    name: 'pulls: whose may join',
    keeps: "a stranger's pull request from joining the conversation of the issue it names",
    off: [
      {
        mark: 'pulls: whose may join',
        becomes: 'const mayJoin = wouldJoin(standing, config.agents.keys(), event.item);',
      },
    ],
    tests: { files: [ATTACKS], named: 'does not join' },
  },
  {
    name: 'push: protected files',
    keeps: 'files that run code elsewhere from being pushed',
    off: [{ mark: 'push: protected files', becomes: "if (is === '') return `${shown(path)} is ${is}`;" }],
    tests: { files: [ATTACKS], named: 'runs code elsewhere' },
  },
  {
    name: 'push: links to protected files',
    keeps: 'what a protected link leads to from being pushed',
    off: [{ mark: 'push: links to protected files', becomes: "if (through?.path !== '') return null;" }],
    tests: { files: ['src/broker/git-door-content.test.ts'], named: 'protected link' },
  },
  {
    name: 'push: links in the place of folders',
    keeps: 'a link or a submodule in the place of a protected folder from being pushed',
    off: [
      {
        mark: 'push: links in the place of folders',
        becomes: 'return itself.test(name) || onTheWay.length > 100;',
      },
    ],
    tests: { files: ['src/broker/git-door-content.test.ts'], named: 'however it comes' },
  },
  {
    name: 'push: encodings of messages',
    keeps: 'a commit message from being read differently here and on the forge',
    off: [{ mark: 'push: encodings of messages', lines: 1, becomes: "if (encoding === ' ') {" }],
    tests: { files: ['src/broker/git-door-content.test.ts'], named: 'read differently' },
  },
];
