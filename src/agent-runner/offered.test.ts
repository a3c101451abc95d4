/**
 * What of the CLI reaches the model, for every agent we ship, read from the requests that the model received.
 *
 * Red after a change of the CLI: look at what is new. What helps work on a repository may be pinned here; what is for a
 * person at a terminal, for the network, or keeps something outside of the archive is switched off in `environment.ts`,
 * `project-limits.ts` or `tools.ts`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigFolder } from '../../test/support/config-folder.ts';
import { TestConversation, type TurnOptions } from '../../test/support/conversation.ts';
import { earlierEngine, earlierGateway } from '../../test/support/earlier-release.ts';
import { recorder } from '../../test/support/recorded-requests.ts';
import { needs } from '../../test/support/requirements.ts';
import type { AgentConfig } from '../config/config.ts';

const here = needs('cli', 'git', 'flock', 'proc');

interface Sent {
  model: string;
  system: { text: string }[];
  messages: { role: string; content: string | { text?: string }[] }[];
  tools?: { name: string; input_schema: { properties?: object } }[];
}

/** A tool with the names of its parameters. */
const SUBAGENT = 'Agent(description effort isolation model prompt run_in_background subagent_type)';
const BASH = 'Bash(command dangerouslyDisableSandbox description run_in_background timeout)';
const READ = 'Read(allow_large file_path limit offset pages)';
const SKILL = 'Skill(args skill)';
const STOP = 'TaskStop(shell_id task_id)';

const OFFERED: Record<string, { tools: string[]; mostBytes: number }> = {
  dev: {
    tools: [
      SUBAGENT,
      BASH,
      'Edit(file_path new_string old_string replace_all)',
      READ,
      SKILL,
      STOP,
      'Write(content file_path)',
    ],
    mostBytes: 26_000,
  },
  reviewer: { tools: [SUBAGENT, BASH, READ, SKILL, STOP], mostBytes: 24_000 },
};
/** Of the CLI's system prompt, its headings. */
const SECTIONS = ['# Harness', '# Session-specific guidance', '# Environment', '# Context management'];
const AGENT_TYPES = ['Explore', 'fetcher', 'general-purpose'];

/** A repository instructs, and tries to have back what is off. */
const CHECKOUT: Record<string, string> = {
  'CLAUDE.md': 'House rule heron-7: tabs.\n',
  '.claude/skills/release/SKILL.md': '---\nname: release\ndescription: Makes a release.\n---\nTag it.\n',
  '.claude/agents/fetcher.md':
    '---\nname: fetcher\ndescription: Fetches.\ntools: WebFetch, Bash, Workflow, CronCreate\nmemory: project\n---\nYou fetch.\n',
  '.claude/settings.json': JSON.stringify({
    autoMemoryEnabled: true,
    disableBundledSkills: false,
    enabledPlugins: { 'cc-plugin-plugin-authoring@builtin': true },
    env: {
      CLAUDE_CODE_DISABLE_AUTO_MEMORY: '0',
      CLAUDE_CODE_DISABLE_BUNDLED_SKILLS: '0',
      CLAUDE_AGENT_SDK_DISABLE_BUILTIN_AGENTS: '0',
      CLAUDE_CODE_NO_MODEL_FALLBACK: '0',
      ENABLE_TOOL_SEARCH: 'true',
    },
  }),
};

const SCRIPT = `
scenes:
  - name: helper
    when: { prompt: HELP ALONE }
    steps:
      - text: Helped.
  - name: work
    when: { prompt: DO IT }
    steps:
      - tools: [{ name: Agent, input: { description: help, prompt: HELP ALONE, run_in_background: false } }]
      - tools: [{ name: Agent, input: { description: help, prompt: HELP ALONE, subagent_type: Explore, run_in_background: false } }]
      - tools: [{ name: Agent, input: { description: help, prompt: HELP ALONE, subagent_type: fetcher, run_in_background: false } }]
      - tools: [{ name: Agent, input: { description: help, prompt: HELP ALONE, subagent_type: statusline-setup, run_in_background: false } }]
      - tools: [{ name: Agent, input: { description: help, prompt: HELP ALONE, model: haiku, run_in_background: false } }]
      - text: Did it.
fallback: { text: Done. }
`;

/** Not what the CLI takes for `haiku` by itself. */
const SMALL = 'claude-haiku-4-5';

function shipped(): AgentConfig[] {
  using folder = new ConfigFolder();
  return [...folder.load().agents.values()];
}

function optionsOf(agent: AgentConfig): NonNullable<TurnOptions['agent']> {
  const { model, effort, tools, disallowedTools, permissionMode, instructions } = agent;
  return {
    model,
    effort,
    tools: tools === null ? null : [...tools],
    disallowedTools: [...disallowedTools],
    permissionMode,
    instructions,
  };
}

async function requestsOf(agent: AgentConfig): Promise<{ bytes: number; sent: Sent }[]> {
  const conversation = await TestConversation.open(SCRIPT);
  const tape = recorder();
  try {
    for (const [path, text] of Object.entries(CHECKOUT)) {
      mkdirSync(join(conversation.cwd, dirname(path)), { recursive: true });
      writeFileSync(join(conversation.cwd, path), text);
    }
    await conversation.turn('DO IT', {
      agent: optionsOf(agent),
      model: { small: SMALL },
      gateway: tape.over,
    });
  } finally {
    await conversation.close();
  }
  expect(tape.requests.map(({ status }) => status)).toEqual(tape.requests.map(() => 200));
  return tape.requests.map(({ body }) => ({ bytes: body.length, sent: JSON.parse(body.toString('utf8')) }));
}

describe.skipIf(!here.ok)(here.title('what reaches the model of'), () => {
  test.for(shipped())('$name', async (agent) => {
    const requests = await requestsOf(agent);
    const [first] = requests;
    const { tools, mostBytes } = OFFERED[agent.name]!;
    expect(toolsOf(first!.sent)).toEqual(tools);
    expect(sectionsOf(first!.sent)).toEqual(SECTIONS);
    expect(listed(first!.sent, 'Available agent types')).toEqual(AGENT_TYPES);
    expect(listed(first!.sent, 'The following skills')).toEqual(['release']);
    expect(first!.bytes).toBeLessThan(mostBytes);
    expect(textOf(first!.sent)).toContain('House rule heron-7');

    const own = toolsOf(first!.sent);
    for (const { sent } of requests) {
      expect(textOf(sent)).not.toMatch(/memor(y|ies)\b/i);
      expect(own).toEqual(expect.arrayContaining(toolsOf(sent)));
    }
    const helpers = requests.filter(({ sent }) => JSON.stringify(sent.messages[0]).includes('HELP ALONE'));
    expect(helpers.map(({ sent }) => toolsOf(sent).map((tool) => tool.split('(')[0]))).toEqual([
      names(own),
      names(own).filter((name) => !['Agent', 'Edit', 'Write'].includes(name)),
      ['Bash'],
      names(own),
    ]);
    expect(textOf(requests.at(-1)!.sent)).toContain("Agent type 'statusline-setup' not found");
    // `model.small`: what a subagent gets that asks for the small model.
    expect(helpers.map(({ sent }) => sent.model === SMALL)).toEqual([false, false, false, true]);
  });
});

test.skipIf(!here.ok)(
  here.title('a session of an earlier release goes on with its history, and without what is off now'),
  async () => {
    const conversation = await TestConversation.open(`
scenes:
  - name: earlier
    when: { prompt: FIRST }
    steps: [{ tools: [{ name: ToolSearch, input: { query: 'select:CronList' } }] }, { text: Done. }]
fallback: { text: Done. }
`);
    const [earlier, now] = [recorder(), recorder()];
    try {
      await conversation.turn('FIRST: the word is heron-7.', {
        engine: earlierEngine(),
        gateway: (ours) => earlier.over(earlierGateway(ours)),
        agent: { model: 'claude-sonnet-4-5' },
      });
      await conversation.database.rows.updateTable('sessions').set({ told_of_memory: 1 }).execute();
      const turn = await conversation.turn('SECOND', { gateway: now.over, agent: { model: 'sonnet' } });
      expect(turn.outcome).toMatchObject({
        kind: 'answered',
        continuity: 'resumed',
        model: { name: 'claude-sonnet-5-5', former: 'claude-sonnet-4-5' },
      });
      const { model, former_model } = turn.dispatch;
      expect({ model, former_model }).toEqual({
        model: 'claude-sonnet-5-5',
        former_model: 'claude-sonnet-4-5',
      });
      const third = await conversation.turn('THIRD', { gateway: now.over, agent: { model: 'sonnet' } });
      expect(third.outcome).toMatchObject({ model: { name: 'claude-sonnet-5-5', former: null } });
    } finally {
      await conversation.close();
    }
    const before = earlier.requests.map(({ body }): Sent => JSON.parse(body.toString('utf8')));
    expect(names(toolsOf(before[0]!))).toEqual(
      expect.arrayContaining(['ScheduleWakeup', 'ToolSearch', 'Workflow']),
    );
    expect(textOf(before[0]!)).toMatch(/persistent[^\n]+memory[^\n]+\/memory\//);
    expect(now.requests).toHaveLength(2);
    for (const { status, body } of now.requests) {
      const sent: Sent = JSON.parse(body.toString('utf8'));
      expect(status).toBe(200);
      expect(textOf(sent)).toContain('heron-7');
      expect(toolsOf(sent)).toEqual(OFFERED.dev!.tools);
      expect(JSON.stringify(sent.system)).not.toMatch(/memor(y|ies)\b/i);
      expect(body.toString('utf8')).not.toMatch(/projects\/[^"]*\/memory/);
    }
  },
);

function names(tools: string[]): string[] {
  return tools.map((tool) => tool.split('(')[0]!);
}

function toolsOf({ tools = [] }: Sent): string[] {
  return tools
    .map(
      ({ name, input_schema: { properties = {} } }) => `${name}(${Object.keys(properties).sort().join(' ')})`,
    )
    .sort();
}

/** Everything that is not a tool's description. */
function textOf({ system, messages }: Sent): string {
  return [...system.map(({ text }) => text), ...messages.map(({ content }) => plain(content))].join('\n');
}

function plain(content: Sent['messages'][number]['content']): string {
  return typeof content === 'string'
    ? content
    : content.map(({ text, ...rest }) => text ?? JSON.stringify(rest)).join('\n');
}

function sectionsOf({ system }: Sent): string[] {
  return system.flatMap(({ text }) => text.split('\n').filter((line) => /^#+ /.test(line)));
}

/** Names of a list that the CLI puts into the conversation: `- name: what it is`. */
function listed(sent: Sent, heading: string): string[] {
  const [, list = ''] = new RegExp(`^${heading}.*\\n+((?:- .*\\n)+)`, 'm').exec(`${textOf(sent)}\n`) ?? [];
  return [...list.matchAll(/^- ([\w:-]+): /gm)].map(([, name]) => name!).sort();
}
