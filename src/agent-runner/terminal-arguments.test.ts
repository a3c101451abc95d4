import { expect, test } from 'vitest';
import type { AgentOptions, AgentTool } from './run.ts';
import { terminalArguments } from './terminal-arguments.ts';

const AGENT: AgentOptions = {
  model: 'sonnet',
  effort: null,
  tools: ['Read', 'Bash(git *)'],
  disallowedTools: ['Bash(rm *)'],
  maxTurns: null,
  permissionMode: 'default',
  instructions: 'You are dev.',
};
const TOOLS = [{ name: 'comment' }] as AgentTool[];

function pairs(agent: Partial<AgentOptions> = {}, anew = false): Map<string, string> {
  const args = terminalArguments({
    sessionId: 'session-1',
    anew,
    agent: { ...AGENT, ...agent },
    tools: TOOLS,
    env: { CLAUDE_CONFIG_DIR: '/state/cli', CLAUDE_CODE_PROJECT_DIR_NAME: 'conversation' },
    instructions: { folder: '/work/shop', files: ['CLAUDE.md'] },
    cli: '/opt/claude',
    bridge: { script: '/run/bridge.js', socket: '/run/forge.sock' },
  });
  return new Map(args.flatMap((one, i) => (one.startsWith('--') ? [[one, args[i + 1] ?? '']] : [])));
}

test('a person has the session, the model, the tools and the limits of the agent, and no settings but the project’s', () => {
  const args = pairs();
  expect(args.get('--resume')).toBe('session-1');
  expect(args.get('--model')).toBe('sonnet');
  expect(args.get('--tools')).toBe('Bash,Read');
  expect(args.get('--allowedTools')).toBe('Read,Bash(git *),mcp__forge__comment');
  expect(args.get('--disallowedTools')).toBe('Bash(rm *)');
  expect(args.get('--permission-mode')).toBe('manual');
  expect(args.get('--setting-sources')).toBe('project');
  expect(JSON.parse(args.get('--settings')!)).toMatchObject({
    disableAllHooks: true,
    availableModels: ['sonnet', 'opus', 'sonnet', 'haiku'],
    claudeMdExcludes: [expect.stringContaining('/work/shop/CLAUDE.md')],
  });
  expect(JSON.parse(args.get('--managed-settings')!)).toMatchObject({ allowManagedHooksOnly: true });
  expect(args.has('--strict-mcp-config')).toBe(true);
  expect(JSON.parse(args.get('--mcp-config')!).mcpServers.forge).toMatchObject({
    command: '/opt/claude',
    env: { CLAUDE_HOOKS_FORGE: '/run/forge.sock' },
  });
  expect(args.has('--system-prompt-snapshot')).toBe(false);
  expect(args.has('--allow-dangerously-skip-permissions')).toBe(false);
});

test('an agent that is asked nothing asks nothing here either, and changed instructions count', () => {
  const args = pairs({ permissionMode: 'bypassPermissions', effort: 'high' }, true);
  expect(args.get('--permission-mode')).toBe('bypassPermissions');
  expect(args.has('--allow-dangerously-skip-permissions')).toBe(true);
  expect(args.get('--effort')).toBe('high');
  expect(args.get('--system-prompt-snapshot')).toBe('off');
});
