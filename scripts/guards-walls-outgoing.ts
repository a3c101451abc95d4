import type { Guard } from './guards.ts';

const POLICY = 'src/broker/git-policy.ts';
const ATTACKS = 'test/red-team/outgoing.test.ts';

/** What leaves with the rights of our accounts: words, tokens, files, and what is taken for ours. */
export const WALLS_OUTGOING_GUARDS: Guard[] = [
  {
    name: 'outgoing: closing words',
    keeps: "a stranger's title or a restricted run's answer from closing an issue with our rights",
    off: [
      {
        file: 'src/security/closing-keywords.ts',
        find: 'broken += text.slice(from, end) + BREAK;',
        replace: 'broken += text.slice(from, end);',
      },
    ],
    tests: { files: [ATTACKS], named: 'words that close issues' },
  },
  {
    name: 'outgoing: only the own issue',
    keeps: 'an answer from closing another issue than that of its conversation',
    off: [
      {
        file: 'src/security/closing-keywords.ts',
        find: 'return number[1] !== String(o.own);',
        replace: "return o.own === null || number[1] === '';",
      },
    ],
    tests: { files: ['src/security/outgoing.test.ts'] },
  },
  {
    name: 'outgoing: one way out',
    keeps: 'a tool or the end of a run from writing past the filter',
    off: [
      {
        file: 'src/outcome/outgoing-forge.ts',
        find: 'return filter(words, args);',
        replace: 'return filter === undefined ? [words] : args;',
      },
    ],
    tests: { files: ['src/broker/words.test.ts'] },
  },
  {
    name: 'outgoing: unknown calls',
    keeps: 'a new call of the forge from carrying words that nobody has looked at',
    off: [
      {
        file: 'src/outcome/outgoing-forge.ts',
        find: 'if (!Object.hasOwn(FILTERS, name)) {',
        replace: "if (name === '') {",
      },
    ],
    tests: { files: ['src/outcome/outgoing-forge.test.ts'] },
  },
  {
    name: 'outgoing: commands',
    keeps: 'an answer from commanding other robots',
    off: [
      {
        file: 'src/security/bot-commands.ts',
        find: '.replace(SLASH, `$1/${BREAK}`)',
        replace: ".replace(SLASH, '$1/')",
      },
    ],
    tests: { files: [ATTACKS], named: "restricted run's answer" },
  },
  {
    name: "outgoing: code after a stranger's words",
    keeps: 'a run that has read a stranger from commanding robots that read raw text',
    off: [
      {
        file: 'src/security/outgoing.ts',
        find: 'if (rules.strict) return',
        replace: "if (text === '') return",
      },
    ],
    tests: { files: ['src/broker/words.test.ts', 'src/security/outgoing.test.ts'] },
  },
  {
    name: 'outgoing: commit messages',
    keeps: 'a commit that closes another issue from being pushed',
    off: [{ file: POLICY, find: 'if (words !== null) {', replace: "if (words === '') {" }],
    tests: { files: [ATTACKS, 'src/broker/git-door-content.test.ts'], named: 'commit' },
  },
  {
    name: 'outgoing: words of commits in pull requests',
    keeps:
      "a stranger's commit that the forge has in a pull request only from closing issues once we have merged it",
    off: [
      {
        file: 'src/workdir/facts.ts',
        find: "const ON_NO_BRANCH = ['--not', '--branches', '--tags'];",
        replace: "const ON_NO_BRANCH = ['--not', '--branches', '--tags', '--glob=refs/pull/*'];",
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
        file: 'src/broker/tools-merge.ts',
        find: 'if ((await deps.strangers([author])).length === 0) return;',
        replace: 'if ((await deps.strangers([author])).length >= 0) return;',
      },
    ],
    tests: { files: ['src/broker/words.test.ts'], named: 'of a stranger is not merged' },
  },
  {
    name: 'clone: configured address',
    keeps: 'the token from going to whatever address the API names for cloning',
    off: [
      {
        file: 'src/worker/where.ts',
        find: 'url: cloneAddress(request.forgeConfig.cloneUrl, repository.fullName)',
        replace: 'url: repository.cloneUrl',
      },
      {
        file: 'src/worker/doors.ts',
        find: 'return { url: cloneAddress(address, fullName), token };',
        replace: 'return { url: repository.cloneUrl, token };',
      },
    ],
    tests: { files: [ATTACKS], named: 'whatever address its API names' },
  },
  {
    name: 'clone: redirects',
    keeps: 'the token from following git to another host',
    off: [
      {
        file: 'src/workdir/remote.ts',
        find: "['http.followRedirects', 'false'];",
        replace: "['http.followRedirects', 'true'];",
      },
    ],
    tests: { files: [ATTACKS], named: 'to where it is redirected' },
  },
  {
    name: 'clone: doctor',
    keeps: 'an installation whose git does not get through from looking well',
    off: [
      {
        file: 'src/doctor/clones.ts',
        find: "if (trial.kind !== 'failed') continue;",
        replace: "if (trial.kind !== 'failed' || url !== '') continue;",
      },
    ],
    tests: { files: ['src/doctor/clones.test.ts'] },
  },
  {
    name: 'pulls: only our own is ours',
    keeps: "a stranger's pull request from our branch from being adopted",
    off: [
      {
        file: 'src/outcome.ts',
        find: 'if (existing !== null && !p.isOurs(existing.author)) {',
        replace: "if (existing !== null && existing.title === '') {",
      },
    ],
    tests: { files: [ATTACKS], named: 'called as ours' },
  },
  {
    name: 'pulls: whose may join',
    keeps: "a stranger's pull request from joining the conversation of the issue it names",
    off: [
      {
        file: 'src/dispatcher/facts.ts',
        find: 'const mayJoin = first.asksAuthor ? await askAuthor(deps, forge, event) : null;',
        replace: 'const mayJoin = first.asksAuthor ? true : null;',
      },
    ],
    tests: { files: [ATTACKS], named: 'does not join' },
  },
  {
    name: 'push: protected files',
    keeps: 'files that run code elsewhere from being pushed',
    off: [
      {
        file: POLICY,
        find: 'if (is !== null) return `${shown(path)} is ${is}`;',
        replace: "if (is === '') return `${shown(path)} is ${is}`;",
      },
    ],
    tests: { files: [ATTACKS], named: 'runs code elsewhere' },
  },
  {
    name: 'push: links to protected files',
    keeps: 'what a protected link leads to from being pushed',
    off: [
      {
        file: POLICY,
        find: 'if (through === null) return null;',
        replace: "if (through?.path !== '') return null;",
      },
    ],
    tests: { files: ['src/broker/git-door-content.test.ts'], named: 'protected link' },
  },
  {
    name: 'push: links in the place of folders',
    keeps: 'a link or a submodule in the place of a protected folder from being pushed',
    off: [
      {
        file: 'src/broker/protected-files.ts',
        find: 'return itself.test(name) || onTheWay.some((folder) => folder.test(name));',
        replace: 'return itself.test(name) || onTheWay.length > 100;',
      },
    ],
    tests: { files: ['src/broker/git-door-content.test.ts'], named: 'however it comes' },
  },
  {
    name: 'push: encodings of messages',
    keeps: 'a commit message from being read differently here and on the forge',
    off: [
      { file: POLICY, find: 'if (!PLAIN_ENCODING.test(encoding)) {', replace: "if (encoding === ' ') {" },
    ],
    tests: { files: ['src/broker/git-door-content.test.ts'], named: 'read differently' },
  },
];
