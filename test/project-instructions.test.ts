/**
 * What of a pull request reaches the model as instruction: nothing. The real CLI reads a checkout made for somebody
 * else's pull request; `BASE-…` stands in the base's files, `PULL-…` in those of the pull request.
 */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { RecordedRequest } from '../rehearsal/model-record.ts';
import { type Checkout, openWorkdir } from '../src/workdir.ts';
import { TestConversation } from './support/conversation.ts';
import { agentGit, agentSpec } from './support/git-agent.ts';
import { BareRepository, git, makeFolder } from './support/git-remotes.ts';
import { needs } from './support/requirements.ts';

type Tree = Record<string, string | { link: string } | null>;

/** A base's line, and where in the pull request it leads. `real`: the CLI does follow it. */
interface Import {
  name: string;
  line: string;
  target: string;
  real: boolean;
  /** where the line stands; the root's CLAUDE.md when not given */
  from?: string;
}

const IMPORTS: Import[] = [
  { name: 'missing in the base', line: '@docs/missing.md', target: 'docs/missing.md', real: true },
  { name: 'with an anchor', line: '@docs/anchor.md#part', target: 'docs/anchor.md', real: true },
  { name: 'with an escaped space', line: '@docs/my\\ guide.md', target: 'docs/my guide.md', real: true },
  { name: 'both', line: '@docs/my\\ part.md#a\\ b', target: 'docs/my part.md', real: true },
  { name: 'in a rule', line: '@../../r1.md', target: 'r1.md', real: true, from: '.claude/rules/style.md' },
  {
    name: 'in a rule below',
    line: '@../../../r2.md',
    target: 'r2.md',
    real: true,
    from: '.claude/rules/a/b.md',
  },
  { name: 'in .claude/CLAUDE.md', line: '@../r3.md', target: 'r3.md', real: true, from: '.claude/CLAUDE.md' },
  { name: 'in a subfolder', line: '@near.md', target: 'sub/near.md', real: true, from: 'sub/CLAUDE.md' },
  {
    name: 'in a rule with paths',
    line: '@../../r4.md',
    target: 'r4.md',
    real: true,
    from: '.claude/rules/p.md',
  },
  { name: 'without an ending', line: '@GUIDE', target: 'GUIDE', real: true },
  { name: 'a dot file', line: '@.guide.md', target: '.guide.md', real: true },
  { name: 'from here', line: '@./here.md', target: 'here.md', real: true },
  {
    name: 'through a folder that is not there',
    line: '@no/such/../../back.md',
    target: 'back.md',
    real: true,
  },
  {
    name: 'within a sentence',
    line: 'Follow @sentence.md in all you do.',
    target: 'sentence.md',
    real: true,
  },
  { name: 'in bold', line: 'Follow **@bold.md** always.', target: 'bold.md', real: true },
  { name: 'in a link', line: 'See [@linked.md](https://example.org).', target: 'linked.md', real: true },
  { name: 'in a heading', line: '## @heading.md', target: 'heading.md', real: true },
  { name: 'in a table', line: '| a |\n|---|\n| @cell.md |', target: 'cell.md', real: true },
  { name: 'in a list, in code', line: '- run `cat @listed.md now`', target: 'listed.md', real: true },
  { name: 'in a quotation', line: '> @quoted.md', target: 'quoted.md', real: true },
  { name: 'after a comment', line: '<!-- a --> @commented.md', target: 'commented.md', real: true },
  { name: 'accents composed', line: '@docs/r\u00e9gles.md', target: 'docs/r\u00e9gles.md', real: true },
  { name: 'accents decomposed', line: '@docs/note\u0301.md', target: 'docs/not\u00e9.md', real: false },
  { name: 'doubled slashes', line: '@docs//double.md', target: 'docs/double.md', real: true },
  { name: 'out and in again', line: '@../checkout/again.md', target: 'again.md', real: false },
  { name: 'in the home folder', line: '@~/home.md', target: 'home.md', real: false },
  { name: 'with a full stop after it', line: 'See @stop.md.', target: 'stop.md', real: false },
  { name: 'in quotes', line: '@"docs/in quotes.md"', target: 'docs/in quotes.md', real: false },
  { name: 'in brackets', line: '(@bracket.md)', target: 'bracket.md', real: false },
  { name: 'in code', line: 'Run `@code.md`.', target: 'code.md', real: false },
  { name: 'in an HTML comment', line: '<!-- @html.md -->', target: 'html.md', real: false },
  { name: 'in other letters', line: '@README.MD', target: 'readme.md', real: false },
];

const markOf = (i: Import) => `PULL-${IMPORTS.indexOf(i)}-MARK`;

function baseTree(): Tree {
  const tree: Record<string, string> = {
    'CLAUDE.md': 'BASE-ROOT\n\n',
    'code/file.txt': 'x',
    'sub/file.txt': 'x',
  };
  for (const { line, from = 'CLAUDE.md' } of IMPORTS) {
    tree[from] ??=
      from === '.claude/rules/p.md' ? '---\npaths: code/**\n---\nBASE-PATHS\n\n' : `BASE-${from}\n\n`;
    tree[from] += `${line}\n\n`;
  }
  tree['CLAUDE.md'] += '@docs/known.md\n';
  tree['docs/known.md'] = 'BASE-KNOWN';
  return tree;
}

const pullTree = (): Tree => ({
  ...Object.fromEntries(IMPORTS.map((i) => [i.target, `${markOf(i)}\n`])),
  'docs/known.md': 'PULL-KNOWN',
  'CLAUDE.md': 'PULL-ROOT',
  '.claude/rules/new.md': 'PULL-RULE',
  'code/CLAUDE.md': 'PULL-CODE',
});

/** Reads a file in each folder, so that what instructs there is loaded, too. */
const SCRIPT = `
scenes:
  - name: look
    when: { prompt: look }
    steps:
      - tools:
          - { name: Read, input: { file_path: "{{ cwd }}/code/file.txt" } }
          - { name: Read, input: { file_path: "{{ cwd }}/sub/file.txt" } }
      - text: Looked.
  - name: skill
    when: { prompt: use the skill }
    steps:
      - tools: [{ name: Skill, input: { skill: helper } }]
fallback: { text: Done. }
`;

class Ground {
  readonly folder = makeFolder();
  readonly forge = new BareRepository(join(this.folder.path, 'forge.git'));
  readonly author = join(this.folder.path, 'author');
  readonly workdir = openWorkdir({ folder: join(this.folder.path, 'work') });

  constructor() {
    git('/', 'clone', '-q', this.forge.path, this.author);
  }

  commit(tree: Tree, ref: string): string {
    for (const [path, content] of Object.entries(tree)) {
      git(this.author, 'rm', '-rqf', '--ignore-unmatch', '--', path);
      const file = join(this.author, path);
      if (content === null) continue;
      mkdirSync(join(file, '..'), { recursive: true });
      if (typeof content === 'string') writeFileSync(file, content);
      else symlinkSync(content.link, file);
    }
    git(this.author, 'add', '-A', '-f');
    git(this.author, 'commit', '-qm', 'change');
    git(this.author, 'push', '-q', 'origin', `HEAD:${ref}`);
    return git(this.author, 'rev-parse', 'HEAD');
  }

  async prepare(sha: string, configurationFromBase = true): Promise<Checkout> {
    const at = { kind: 'pull' as const, number: 3, ref: 'refs/pull/3/head', sha, base: 'main' };
    return await this.workdir.prepare(agentSpec(this.forge.path, { at, configurationFromBase }));
  }
}

interface Heard {
  text: string;
  answer: string;
}

/** `listed`: with the list of files that may instruct, as the service does; without it the checkout stands alone. */
async function heard(checkout: Checkout, listed: boolean, prompt = 'look'): Promise<Heard> {
  const c = await TestConversation.open(SCRIPT);
  try {
    const instructions = listed ? { instructions: checkout.instructions ?? [] } : {};
    const turn = await c.turn(prompt, { cwd: checkout.path, ...instructions });
    expect(turn.outcome.kind).toBe('answered');
    return {
      text: JSON.stringify(c.model.requests.map((r: RecordedRequest) => [r.systemText, r.messages])),
      answer: turn.outcome.kind === 'answered' ? turn.outcome.answer : '',
    };
  } finally {
    await c.close();
  }
}

const pullMarks = (text: string) => [...new Set(text.match(/PULL-[A-Z0-9-]+/g) ?? [])].sort();
const tools = needs('cli', 'git');

describe.skipIf(!tools.ok)(tools.title('imports of the base that only the pull request has'), () => {
  let ground: Ground;
  let checkout: Checkout;
  let sha: string;
  beforeAll(async () => {
    ground = new Ground();
    ground.commit(baseTree(), 'refs/heads/main');
    sha = ground.commit(pullTree(), 'refs/pull/3/head');
    checkout = await ground.prepare(sha);
  });
  afterAll(() => ground?.folder.remove());

  test.each(IMPORTS)('$name: $line is not in the checkout, and the agent is told', async (i) => {
    expect(existsSync(join(checkout.path, i.target))).toBe(false);
    expect(git(checkout.path, 'show', `HEAD:${i.target}`)).toBe(markOf(i));
    const note = checkout.notes.find((n) => n.includes('they are not in the checkout'))!;
    expect(note).toMatch(/and \d+ more/);
    expect(checkout.notes.join()).toContain('git show HEAD:<path>');
    expect(checkout.instructions).not.toContain(i.target);
  });

  test.each([true, false])('the model hears the base alone (with the list: %s)', async (listed) => {
    const { text } = await heard(checkout, listed);
    for (const mark of [
      'BASE-ROOT',
      'BASE-KNOWN',
      'BASE-sub/CLAUDE.md',
      'BASE-.claude/rules/style.md',
      'BASE-PATHS',
    ])
      expect(text).toContain(mark);
    expect(pullMarks(text)).toEqual([]);
    expect((await agentGit(checkout.path, 'status', '--porcelain')).stdout).toBe('');
  });

  test('the list alone is enough, whatever the checkout holds', async () => {
    const { path, instructions } = checkout;
    const wild = await bare();
    const { text } = await heard({ ...wild, instructions }, true);
    // CLAUDE.md itself is the pull request's here: a list knows names, not contents.
    expect(pullMarks(text)).toEqual(['PULL-ROOT']);
    expect(path).not.toBe(wild.path);
  });

  test('they were real: without the base in its place the CLI follows them', async () => {
    const wild = await bare();
    writeFileSync(join(wild.path, 'CLAUDE.md'), readFileSync(join(checkout.path, 'CLAUDE.md')));
    const marks = pullMarks((await heard(wild, false)).text);
    for (const i of IMPORTS.filter(({ real }) => real)) expect(marks, i.name).toContain(markOf(i));
    expect(marks).toEqual(expect.arrayContaining(['PULL-KNOWN', 'PULL-RULE', 'PULL-CODE']));
  });

  /** The pull request as it is. */
  async function bare(): Promise<Checkout> {
    const other = openWorkdir({ folder: join(ground.folder.path, 'bare') });
    const at = { kind: 'pull' as const, number: 3, ref: 'refs/pull/3/head', sha, base: 'main' };
    return await other.prepare(agentSpec(ground.forge.path, { at }));
  }
});

describe.skipIf(!tools.ok)(tools.title('other ways into the instructions'), () => {
  let ground: Ground;
  beforeEach(() => {
    ground = new Ground();
    onTestFinished(() => ground.folder.remove());
  });

  async function hearPull(base: Tree, pull: Tree): Promise<Heard> {
    ground.commit({ 'code/file.txt': 'x', 'sub/file.txt': 'x', ...base }, 'refs/heads/main');
    const checkout = await ground.prepare(ground.commit(pull, 'refs/pull/3/head'));
    expect(pullMarks((await heard(checkout, false)).text)).toEqual([]);
    expect((await agentGit(checkout.path, 'status', '--porcelain')).stdout).toBe('');
    return await heard(checkout, true);
  }

  test.each<[string, Tree, Tree]>([
    [
      'a link in place of the folder of an import',
      { 'CLAUDE.md': 'BASE-ROOT\n@docs/rules.md', 'docs/rules.md': 'BASE-RULES' },
      { docs: { link: 'evil' }, 'docs/rules.md': null, 'evil/rules.md': 'PULL-RULES' },
    ],
    [
      'a link in place of an import',
      { 'CLAUDE.md': 'BASE-ROOT\n@docs/rules.md', 'docs/rules.md': 'BASE-RULES' },
      { 'docs/rules.md': { link: '../evil.md' }, 'evil.md': 'PULL-RULES' },
    ],
    [
      'a link where the base has nothing',
      { 'CLAUDE.md': 'BASE-ROOT BASE-RULES\n@docs/rules.md' },
      { docs: { link: 'evil' }, 'evil/rules.md': 'PULL-RULES' },
    ],
    [
      'an import of an import',
      { 'CLAUDE.md': 'BASE-ROOT\n@docs/rules.md', 'docs/rules.md': 'BASE-RULES\n@more.md' },
      { 'docs/more.md': 'PULL-MORE' },
    ],
    [
      'five imports deep',
      {
        'CLAUDE.md': 'BASE-ROOT @1.md',
        '1.md': 'BASE-RULES @2.md',
        '2.md': '@3.md',
        '3.md': '@4.md',
        '4.md': '@5.md @6.md',
      },
      { '5.md': 'PULL-FIVE', '6.md': 'PULL-SIX', '3.md': '@evil.md', 'evil.md': 'PULL-EVIL' },
    ],
    [
      'CLAUDE.md is a link in the base: its imports begin where it stands in the checkout',
      { 'CLAUDE.md': { link: 'docs/agents.md' }, 'docs/agents.md': 'BASE-ROOT BASE-RULES\n@near.md' },
      { 'near.md': 'PULL-NEAR', 'docs/near.md': 'PULL-DOCS' },
    ],
    [
      'a link of the base that leads nowhere in it',
      { 'CLAUDE.md': 'BASE-ROOT BASE-RULES\n@notes.md', 'notes.md': { link: 'later.md' } },
      { 'later.md': 'PULL-LATER' },
    ],
  ])('%s', async (_, base, pull) => {
    const { text } = await hearPull(base, pull);
    expect(text).toContain('BASE-ROOT');
    expect(text).toContain('BASE-RULES');
    expect(pullMarks(text)).toEqual([]);
  });

  test('a skill of the base: what it names or would print of the pull request', async () => {
    const skill =
      '---\nname: helper\ndescription: Helps.\n---\nBASE-SKILL\n@named.md\n@"quoted name.md"\n!`cat printed.md`\n';
    ground.commit({ '.claude/skills/helper/SKILL.md': skill }, 'refs/heads/main');
    const sha = ground.commit(
      { 'named.md': 'PULL-NAMED', 'quoted name.md': 'PULL-QUOTED', 'printed.md': 'PULL-PRINTED' },
      'refs/pull/3/head',
    );
    const checkout = await ground.prepare(sha);
    const { text } = await heard(checkout, true, 'use the skill');
    expect(text).toContain('BASE-SKILL');
    expect(pullMarks(text)).toEqual([]);
    const plain = await ground.prepare(sha, false);
    const marks = pullMarks((await heard(plain, false, 'use the skill')).text);
    expect(marks).toEqual(expect.arrayContaining(['PULL-NAMED', 'PULL-PRINTED']));
  });

  test('what an earlier run left uncommitted where an import leads is moved away, and the agent is told', async () => {
    ground.commit(
      { 'CLAUDE.md': 'BASE-ROOT\n@docs/rules.md', 'code/file.txt': 'x', 'sub/file.txt': 'x' },
      'refs/heads/main',
    );
    const sha = ground.commit({ 'code/file.txt': 'y' }, 'refs/pull/3/head');
    const { path } = await ground.prepare(sha);
    mkdirSync(join(path, 'docs'));
    writeFileSync(join(path, 'docs/rules.md'), 'PULL-LEFT');
    const again = await ground.prepare(sha);
    expect(again.notes.join()).toMatch(/What was not committed \(1 file\) was put aside/);
    expect(readFileSync(join(path, '../.put-aside-1/files/docs/rules.md'), 'utf8')).toBe('PULL-LEFT');
    expect(pullMarks((await heard(again, true)).text)).toEqual([]);
  });

  test('what appears in mid-run: a test that the agent runs writes instructions', async () => {
    ground.commit({ 'CLAUDE.md': 'BASE-ROOT', 'code/file.txt': 'x', 'sub/file.txt': 'x' }, 'refs/heads/main');
    const checkout = await ground.prepare(ground.commit({ 'code/file.txt': 'y' }, 'refs/pull/3/head'));
    writeFileSync(join(checkout.path, 'sub/CLAUDE.md'), 'PULL-LATE');
    expect(pullMarks((await heard(checkout, true)).text)).toEqual([]);
    expect(pullMarks((await heard(checkout, false)).text)).toEqual(['PULL-LATE']);
  });

  test('given back: without the base in its place everything is there again', async () => {
    ground.commit({ 'CLAUDE.md': 'BASE-ROOT\n@docs/rules.md' }, 'refs/heads/main');
    const sha = ground.commit({ docs: { link: 'evil' }, 'evil/rules.md': 'PULL-RULES' }, 'refs/pull/3/head');
    const first = await ground.prepare(sha);
    expect(existsSync(join(first.path, 'docs'))).toBe(false);
    const again = await ground.prepare(sha);
    expect(existsSync(join(again.path, 'docs'))).toBe(false);
    const plain = await ground.prepare(sha, false);
    expect(readFileSync(join(plain.path, 'docs/rules.md'), 'utf8')).toBe('PULL-RULES');
    expect(plain.instructions).toBeNull();
    expect((await agentGit(plain.path, 'status', '--porcelain')).stdout).toBe('');
  });
});
