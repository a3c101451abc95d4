import { describe, expect, test } from 'vitest';
import { ConfigFolder, SMALL_CONFIG } from '../../test/support/config-folder.ts';

const agent = (matter: string, body = 'You help.') => `---\n${matter}\n---\n${body}\n`;

describe('agents', () => {
  test("Claude Code's own front matter is understood, in either spelling", () => {
    using folder = new ConfigFolder({
      'agents/writer.md': agent(
        'name: writer\ndescription: Writes.\ntools: Read, Bash(git add, git commit), Grep\ndisallowedTools: [Write]\nmodel: inherit\ncolor: blue\nmaxTurns: 30\neffort: high\nbranch_prefix: bots/writer\nquiet_seconds: 1',
      ),
    });
    expect(folder.load().agents.get('writer')).toMatchObject({
      tools: ['Read', 'Bash(git add, git commit)', 'Grep'],
      disallowedTools: ['Write'],
      model: 'sonnet',
      maxTurns: 30,
      effort: 'high',
      branchPrefix: 'bots/writer',
      publish: 'comment',
      quietSeconds: 1,
      maxWaitSeconds: 60,
      instructions: 'You help.',
    });
  });

  test('a file with the name of a shipped agent replaces it', () => {
    using folder = new ConfigFolder({ 'agents/dev.md': agent('description: Mine.') });
    expect(folder.load().agents.get('dev')).toMatchObject({ description: 'Mine.', publish: 'comment' });
  });

  test.each([
    ['no front matter', 'You help.\n', '', 'has no front matter'],
    [
      'wrong YAML',
      agent('description: "x'),
      '',
      'is not valid YAML (Missing closing "quote), line 2, column 16',
    ],
    ['a wrong key', agent('description: x\npublsh: review'), 'publsh', 'is not a key we know'],
    [
      'a wrong value',
      agent('description: x\npublish: merge'),
      'publish',
      'expected one of pull-request, review, comment',
    ],
    ['a missing key', agent('publish: review'), 'description', 'is missing'],
    [
      'another name than the file',
      agent('name: other\ndescription: x'),
      'name',
      'is not the name of the file',
    ],
    [
      'a tool that searches the web',
      agent('description: x\ntools: Read, WebSearch'),
      'tools',
      'fetches what is outside of the container',
    ],
    [
      'a tool that fetches, by its rule',
      agent('description: x\ntools: ["WebFetch(domain:example.org)"]'),
      'tools',
      'fetches what is outside of the container',
    ],
    [
      'a tool of the CLI that is of no use here',
      agent('description: x\ntools: [Read, ScheduleWakeup]'),
      'tools',
      'is no tool that an agent may have',
    ],
    [
      'a prefix git would refuse',
      agent('description: x\nbranch_prefix: "a..b"'),
      'branch_prefix',
      'expected letters',
    ],
  ])('%s', (_, text, path, problem) => {
    using folder = new ConfigFolder({ 'agents/helper.md': text });
    const [only, ...more] = folder.problems();
    expect(more).toEqual([]);
    expect(only).toMatchObject({ file: 'agents/helper.md', path });
    expect(only!.problem).toContain(problem);
    expect(only!.remedy).not.toBe('');
  });
});

const flow = (lines: string) =>
  `name: mine\non: [issue.labeled]\nagent: dev\nskill: work-on-issue\n${lines}\n`;

describe('flows', () => {
  test('one flow, or a list; the own ones come first', () => {
    using folder = new ConfigFolder({
      'flows/a.yaml': flow(''),
      'flows/b.yml': `[{ ${flow('').trim().replaceAll('\n', ', ').replace('mine', 'second')} }]`,
    });
    const flows = folder.load().flows;
    expect(flows.slice(0, 3).map(({ name }) => name)).toEqual(['mine', 'second', 'dev-assigned']);
    expect(flows[0]).toMatchObject({ priority: 50, enabled: true, with: {}, clauses: [] });
  });

  test('a flow with the name of a shipped one changes the keys it gives', () => {
    using folder = new ConfigFolder({ 'flows/mine.yaml': 'name: dev-assigned\nenabled: false\n' });
    const changed = folder.load().flows.filter(({ name }) => name === 'dev-assigned');
    expect(changed).toMatchObject([{ enabled: false, agent: 'dev', skill: 'work-on-issue', priority: 70 }]);
  });

  test('a condition is split at its top-level && only', () => {
    using folder = new ConfigFolder({
      'flows/mine.yaml': flow(
        "if: conversation.exists && (sender.person || agent.name == 'dev') && !(event.pull != null && event.pull.draft)",
      ),
    });
    const [mine] = folder.load().flows;
    expect(mine!.clauses.map(({ text, paths }) => ({ text, paths }))).toEqual([
      { text: 'conversation.exists', paths: ['conversation.exists'] },
      { text: 'sender.person || agent.name == "dev"', paths: ['sender.person', 'agent.name'] },
      { text: '!(event.pull != null && event.pull.draft)', paths: ['event.pull', 'event.pull.draft'] },
    ]);
  });

  test.each([
    ['if: event.n ==', 'mine.if', 'is not a CEL expression: Unexpected token: EOF at column 11', 'Correct'],
    [
      "if: [sender.person, event.mentoins == 'x']",
      'mine.if[1]',
      'event has no field "mentoins"',
      'Did you mean "mentions"?',
    ],
    ['if: evnt.name == "x"', 'mine.if', 'Unknown variable: evnt', 'event, agent, conversation'],
    ['if: "\'text\'"', 'mine.if', 'gives string, not true or false', 'Compare'],
    ['if: shout(event.name)', 'mine.if', 'shout', ''],
    ['priority: 101', 'mine.priority', 'expected a whole number from 0 to 100', '50'],
    ['prio: 1', 'mine.prio', 'is not a key we know', 'priority'],
  ])('%s', (lines, path, problem, remedy) => {
    using folder = new ConfigFolder({ 'flows/mine.yaml': flow(lines) });
    const [only, ...more] = folder.problems();
    expect(more).toEqual([]);
    expect(only).toMatchObject({ file: 'flows/mine.yaml', path });
    expect(only!.problem).toContain(problem);
    expect(only!.remedy).toContain(remedy);
  });

  test('names that lead nowhere', () => {
    using folder = new ConfigFolder({
      'flows/mine.yaml': 'name: mine\non: [comment.crated]\nagent: devv\nskill: work-on-isue\n',
      'flows/refs.yaml': 'name: refs\non: [push]\nagent: devv\nskill: work-on-isue\n',
    });
    expect(folder.problems()).toMatchObject([
      { path: 'mine.on[0]', value: '"comment.crated"', remedy: expect.stringContaining('"comment.created"') },
      { path: 'refs.agent', value: '"devv"', remedy: expect.stringContaining('Did you mean "dev"?') },
      { path: 'refs.skill', value: '"work-on-isue"', remedy: expect.stringContaining('"work-on-issue"') },
    ]);
  });

  test('two flows of one name, and a flow without a name', () => {
    using folder = new ConfigFolder({
      'flows/a.yaml': flow(''),
      'flows/b.yaml': `- on: [push]\n  agent: dev\n  skill: fix-ci\n- ${flow('').replaceAll('\n', '\n  ')}`,
    });
    expect(folder.problems()).toMatchObject([
      { file: 'flows/b.yaml', path: '[0].name', problem: 'is missing' },
      {
        file: 'flows/b.yaml',
        path: 'mine.name',
        problem: expect.stringContaining('flows/a.yaml has a flow of that name'),
      },
    ]);
  });
});

describe('accounts', () => {
  test('for an agent that does not exist', () => {
    using folder = new ConfigFolder({ 'claude-hooks.yaml': SMALL_CONFIG.replace('dev: {', 'devel: {') });
    expect(folder.problems()).toMatchObject([
      { path: 'forges.home.accounts.devel', remedy: expect.stringContaining('Did you mean "dev"?') },
    ]);
  });

  test('none for an agent, or one login for two, is only a warning', () => {
    using without = new ConfigFolder({ 'claude-hooks.yaml': SMALL_CONFIG.replace(/ {6}reviewer: .*\n/, '') });
    expect(without.load().warnings).toEqual([expect.stringContaining('agent reviewer has no account here')]);
    using shared = new ConfigFolder({ 'claude-hooks.yaml': SMALL_CONFIG.replace('review-bot', 'Dev-Bot') });
    expect(shared.load().warnings).toEqual([
      expect.stringContaining('dev and reviewer share the login dev-bot'),
    ]);
  });
});

const skill = (text: string) => `---\ndescription: A skill.\n---\n${text}\n`;

describe('skills', () => {
  test('two forms, and a partial of the operator in place of a shipped one', () => {
    using folder = new ConfigFolder({
      'skills/greet.md': skill(
        "Hello {{ with.who }} {% include '_news' %}\n--- resumed ---\nAgain {{ with.who }}{{ with.nobody.at.all }}",
      ),
      'skills/_news.md': 'news of {{ with.who }}\n',
    });
    const greet = folder.load().skills.get('greet')!;
    expect(greet.render('full', { with: { who: 'Ann' } }).trim()).toBe('Hello Ann news of Ann');
    expect(greet.render('short', { with: { who: 'Ann' } }).trim()).toBe('Again Ann');
  });

  test('without a short form the full one serves', () => {
    using folder = new ConfigFolder({ 'skills/one.md': skill('Same') });
    expect(folder.load().skills.get('one')!.render('short', {}).trim()).toBe('Same');
  });

  test.each([
    [
      'an unknown filter',
      'skills/x.md',
      skill('a\n{{ item.title | shout }}'),
      'line 5',
      'undefined filter: shout',
    ],
    [
      'an unknown tag in the short form',
      'skills/x.md',
      skill('a\n--- resumed ---\nb\n{% foo %}'),
      'line 7',
      'tag "foo" not found',
    ],
    [
      'an unknown partial',
      'skills/x.md',
      skill("{% if a %}{% include '_nope' %}{% endif %}"),
      'line 4',
      'there is no partial "_nope"',
    ],
    ['a wrong partial', 'skills/_x.md', 'a\n{{ b | nope }}', 'line 2', 'undefined filter: nope'],
    ['an empty short form', 'skills/x.md', skill('a\n--- resumed ---\n'), 'short form', 'is empty'],
  ])('%s', (_, file, text, path, problem) => {
    using folder = new ConfigFolder({ [file]: text });
    expect(folder.problems()).toMatchObject([{ file, path, problem }]);
  });
});
