/** Mistakes that were accepted once: each is told with file, line, what is known and the remedy. */
import { describe, expect, test } from 'vitest';
import { ConfigFolder, SMALL_CONFIG } from '../../test/support/config-folder.ts';
import { loadConfig } from './load.ts';

const flow = (lines: string, on = 'comment.created') =>
  `name: mine\non: [${on}]\nagent: dev\nskill: answer-comment\n${lines}\n`;
const skill = (text: string) => `---\ndescription: A skill.\n---\n${text}\n`;

describe('a condition that is never true', () => {
  test.each([
    ['event.item.title', 'gives string, not true or false', 'event.item.title is a text'],
    ['conversation.dispatches', 'gives double, not true or false', 'conversation.dispatches is a number'],
    ['event.mentions', 'gives list<string>, not true or false', 'a list of texts'],
    ['!event.comment', 'no such overload: !event_comment', 'event.comment is a group of fields'],
    ["event.item.number == '3'", 'no such overload: double == string', 'event.item.number is a number'],
    ['conversation.dispatches + 1 < 3', 'no such overload: double + int', '1.0'],
    ['sender.person && event.item.kind', 'gives string', 'event.item.kind is a text'],
    ['event.mentions.exists(m, m)', 'must return bool', ''],
  ])('%s', (condition, problem, remedy) => {
    using folder = new ConfigFolder({ 'flows/mine.yaml': flow(`if: ${JSON.stringify(condition)}`) });
    const [only, ...more] = folder.problems();
    expect(more).toEqual([]);
    expect(only).toMatchObject({ file: 'flows/mine.yaml', line: 5, path: 'mine.if' });
    expect(only!.problem).toContain(problem);
    expect(only!.remedy).toContain(remedy);
  });

  test.each([
    "event.item.number == 3 || event.item.number in [4, 5] || event.item.labels == ['x']",
    "event.pull == null || event.pull.headRepository != null && event['item'].kind == 'pull'",
    'conversation.branch != null && size(event.item.labels) > 0 && conversation.dispatches + 1.0 < 10.0',
  ])('%s is right', (condition) => {
    using folder = new ConfigFolder({ 'flows/mine.yaml': flow(`if: ${JSON.stringify(condition)}`) });
    expect(folder.load().warnings).toEqual([]);
  });

  test('a field that the event never has; asking for it first is a warning', () => {
    const files = (condition: string, on: string) => ({ 'flows/mine.yaml': flow(`if: ${condition}`, on) });
    using never = new ConfigFolder(files("event.comment.body == 'x'", 'issue.opened, issue.edited'));
    expect(never.problems()).toMatchObject([
      {
        file: 'flows/mine.yaml',
        line: 5,
        path: 'mine.if',
        value: 'event.comment',
        problem: 'is always null for issue.opened, issue.edited, so the flow never matches',
        remedy: expect.stringContaining('comment.created, comment.edited, comment.deleted'),
      },
    ]);
    using reviewer = new ConfigFolder(
      files('sameLogin(event.requestedReviewer, agent.login)', 'pull.opened'),
    );
    expect(reviewer.problems()).toMatchObject([{ value: 'event.requestedReviewer' }]);
    using asked = new ConfigFolder(files('event.pull == null || event.pull.draft', 'issue.opened'));
    expect(asked.load().warnings).toEqual([expect.stringContaining('asking for it decides nothing')]);
    using some = new ConfigFolder(files("event.comment.body == 'x'", 'issue.opened, comment.created'));
    expect(some.load().warnings).toEqual([expect.stringContaining('never matches there')]);
    using push = new ConfigFolder({ 'flows/mine.yaml': flow('', 'push') });
    expect(push.load().warnings).toEqual([expect.stringContaining('push is about no issue or pull request')]);
    using off = new ConfigFolder(files("event.comment.body == 'x'\nenabled: false", 'issue.opened'));
    expect(off.load().warnings).toEqual([]);
  });
});

describe('the name of a flow', () => {
  test('that was to change a shipped one and is misspelt', () => {
    using folder = new ConfigFolder({ 'flows/own.yaml': '- name: dev-asigned\n  enabled: false\n' });
    expect(folder.problems()).toMatchObject([
      {
        file: 'flows/own.yaml',
        line: 1,
        path: 'dev-asigned.name',
        problem: 'there is no shipped flow of that name to change',
        remedy: expect.stringContaining('Did you mean "dev-assigned"?'),
      },
    ]);
  });

  test('that is nearly a shipped one is a warning', () => {
    using folder = new ConfigFolder({ 'flows/own.yaml': flow('').replace('mine', 'dev-coment') });
    expect(folder.load().warnings).toEqual([expect.stringContaining('shipped flow dev-comment')]);
  });
});

describe('skills', () => {
  test.each([
    ['{{ itm.title }}', 'itm.title', 'there is no variable "itm"', 'Did you mean "item"?'],
    [
      'x\n{{ event.comment.boddy | fenced }}',
      'event.comment.boddy',
      'event.comment has no field "boddy"',
      'body',
    ],
    ['{% if conversation.branhc %}x{% endif %}', 'conversation.branhc', 'has no field "branhc"', '"branch"'],
  ])('an unknown variable: %s', (text, path, problem, remedy) => {
    using folder = new ConfigFolder({ 'skills/x.md': skill(text) });
    const [only, ...more] = folder.problems();
    expect(more).toEqual([]);
    expect(only).toMatchObject({ file: 'skills/x.md', line: text.includes('\n') ? 5 : 4, path });
    expect(only!.problem).toContain(problem);
    expect(only!.remedy).toContain(remedy);
  });

  test('in a partial it is told once, and what a template makes itself is known', () => {
    using folder = new ConfigFolder({
      'skills/x.md': skill("{% assign mine = item.title %}{% include '_p' %}"),
      'skills/y.md': skill(
        "{% assign mine = 1 %}{% include '_p' %}{% for m in messages %}{{ m.flow }}{% endfor %}",
      ),
      'skills/_p.md': '{{ mine }}\n{{ yours }}{{ comments[0].body }}{{ item.title.size }}\n',
    });
    expect(folder.problems()).toMatchObject([{ file: 'skills/_p.md', line: 2, path: 'yours' }]);
  });

  test('what no event of its flows has; with an if around it the skill knows', () => {
    const files = (text: string) => ({
      'flows/mine.yaml': flow('', 'issue.labeled').replace('answer-comment', 'x'),
      'skills/x.md': skill(text),
    });
    using folder = new ConfigFolder(files('Go.\n{{ event.comment.body }}'));
    expect(folder.problems()).toMatchObject([
      {
        file: 'skills/x.md',
        line: 5,
        path: 'event.comment.body',
        problem: expect.stringContaining('issue.labeled'),
      },
    ]);
    using guarded = new ConfigFolder(files('Go.{% if event.comment %}{{ event.comment.body }}{% endif %}'));
    expect(guarded.load().skills.has('x')).toBe(true);
  });
});

describe('YAML', () => {
  test.each([
    [
      'accounts: { dev: { login: a, token: ${DEV_TOKEN} } }\nb: 1\nc: { d: ${E} }\n',
      'has ${DEV_TOKEN} without quotes inside of { } or [ ], line 1',
      'Write "${DEV_TOKEN}" there, with the quotes.',
    ],
    ['a: [${A:-x}, ${B}]\n', 'has ${A} without quotes', 'with the quotes'],
    ['a:\n\tb: 1\n', 'has a tab where YAML wants spaces, line 2', 'Replace the tab by spaces.'],
    ['a: 1\nb: 2\na: 3\n', 'has the same key twice, line 3', 'Take out one of the two.'],
    ['a: 1\n---\nb: 2\n', 'has a second document after a line ---, line 2', 'Take out the line ---'],
    ['a: {\nb: ]\nc: }\nd: [\n', 'is not valid YAML (', 'Correct the text there'],
  ])('%j is answered in one sentence', (text, problem, remedy) => {
    using folder = new ConfigFolder({ 'claude-hooks.yaml': text });
    const [only, ...more] = folder.problems();
    expect(more).toEqual([]);
    expect(only!.problem).toContain(problem);
    expect(only!.remedy).toContain(remedy);
  });

  test('each problem has its line, in lists of flows too', () => {
    using folder = new ConfigFolder({
      'claude-hooks.yaml': SMALL_CONFIG.replace('kind: forgejo', 'kind: forge'),
      'flows/own.yaml': `- ${flow('').trim().replaceAll('\n', '\n  ')}\n- name: two\n  on: [push, issue.open]\n  agent: dev\n  skill: fix-ci\n`,
    });
    expect(folder.problems()).toMatchObject([
      { file: 'claude-hooks.yaml', line: 6, path: 'forges.home.kind' },
      { file: 'flows/own.yaml', line: 6, path: 'two.on[1]' },
    ]);
    expect(() => folder.load()).toThrow(
      'flows/own.yaml:6: two.on[1] (value: "issue.open"): is not an event.',
    );
  });
});

const agent = '---\ndescription: Helps.\n---\nYou help.\n';

describe('files and folders', () => {
  test.each([
    ['agents/helper.markdown', agent, 'agents are files that end in .md', 'Rename it to helper.md'],
    ['agents/helper.yaml', agent, 'agents are files that end in .md', 'Rename it to helper.md'],
    ['agents/helper.MD', agent, 'agents are files that end in .md', 'Rename it to helper.md'],
    ['agents/My Helper.md', agent, 'its name is not one that flows can use', 'Rename it to my-helper.md'],
    ['agents/helper.md/inside.md', agent, 'is a folder', 'Put a file of that name in its place'],
    ['agents/helper.md', ' \n', 'is empty', 'docs/configuration.md'],
    ['agents/helper.md', 'a\0b', 'is not a text in UTF-8', 'docs/configuration.md'],
    ['flows/own.md', flow(''), 'flows are files that end in .yaml', 'Rename it to own.yaml'],
    ['flows/own.yaml', '', 'is empty', 'docs/configuration.md'],
  ])('%s', (file, text, problem, remedy) => {
    using folder = new ConfigFolder({ [file]: text });
    const [only, ...more] = folder.problems();
    expect(more).toEqual([]);
    expect(only!.file).toBe(file.replace('/inside.md', ''));
    expect(only!.problem).toContain(problem);
    expect(only!.remedy).toContain(remedy);
  });

  test('what is left beside them is no mistake, and what does nothing is a warning', () => {
    using folder = new ConfigFolder({
      'agents/README.md': 'Ours.',
      'agents/dev.md~': agent,
      'agents/.hidden.yaml': '',
      'agents/notes.txt': 'Mine.',
      'agents/more/deep.md': agent,
      'agents/revewer.md': `\uFEFF${agent}`,
      'skills/greet.md': skill('Hello.'),
    });
    expect(folder.load().warnings.map((warning) => warning.replace(`${folder.path}/`, ''))).toEqual([
      expect.stringMatching(/^agents\/more: is a folder/),
      expect.stringMatching(/^agents\/notes.txt: is not read/),
      expect.stringMatching(/^agents\/revewer.md: no flow names the agent revewer.*Did you mean "reviewer"/),
      expect.stringMatching(/^skills\/greet.md: no flow names the skill greet/),
    ]);
  });

  test('a main file that is empty, or a folder', () => {
    using empty = new ConfigFolder({ 'claude-hooks.yaml': '\n' });
    expect(empty.problems()).toMatchObject([{ problem: 'is empty' }]);
    using folder = new ConfigFolder({ 'inside/claude-hooks.yaml': 'x' });
    expect(() => loadConfig({ file: `${folder.path}/inside`, env: {} })).toThrow(
      'it is a folder, not a file',
    );
  });
});

describe('tools', () => {
  test.each([
    ['forge_tools: [coment, read_item]', 'forge_tools', '"coment"', 'Did you mean "comment"?'],
    ['forge_tools: [mcp__forge__comment]', 'forge_tools', '"mcp__forge__comment"', 'Did you mean "comment"?'],
    ['tools: Read, mcp__forge__coment', 'tools', '"mcp__forge__coment"', '"mcp__forge__comment"?'],
    ['disallowedTools: [mcp__github__merge]', 'disallowed_tools', '"mcp__github__merge"', ''],
  ])('%s', (line, path, value, remedy) => {
    using folder = new ConfigFolder({ 'agents/dev.md': agent.replace('\n---\nYou', `\n${line}\n---\nYou`) });
    const [only, ...more] = folder.problems();
    expect(more).toEqual([]);
    expect(only).toMatchObject({ file: 'agents/dev.md', path, value });
    expect(only!.remedy).toContain(remedy);
  });
});
