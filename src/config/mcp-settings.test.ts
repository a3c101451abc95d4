/** MCP servers in the configuration: what each becomes, and what is refused. */
import { describe, expect, test } from 'vitest';
import { ConfigFolder, SMALL_CONFIG, SMALL_ENV } from '../../test/support/config-folder.ts';

const ENV = { ...SMALL_ENV, TOKEN: 'token-of-the-server', BOARD: 'secret-of-the-board' };
const agent = (lines: string) => `---\nname: dev\ndescription: Draws.\n${lines}\n---\nYou draw.`;

function folder(servers: string, lines = 'mcp_servers: [far]') {
  return new ConfigFolder(
    { 'claude-hooks.yaml': `${SMALL_CONFIG}mcp_servers:\n${servers}\n`, 'agents/dev.md': agent(lines) },
    ENV,
  );
}

test('a program and an address, with their secrets kept from the log', () => {
  using written = folder(
    [
      '  far: { url: "https://far.example.org/mcp", token: "${TOKEN}", tools: [draw], call_seconds: 5 }',
      '  board: { command: [node, board.js], environment: { KEY: "${BOARD}", SHORT: x }, dispatches_at_once: 1 }',
    ].join('\n'),
    'mcp_servers: [far, board, far]\ndisallowed_tools: [mcp__far__draw, mcp__board]\nmcp_in_restricted_runs: true',
  );
  const config = written.load();
  expect(config.mcpServers.far).toMatchObject({
    way: {
      kind: 'http',
      url: 'https://far.example.org/mcp',
      headers: { authorization: 'Bearer token-of-the-server' },
    },
    tools: ['draw'],
    callMs: 5000,
    dispatchesAtOnce: null,
  });
  expect(config.mcpServers.board).toMatchObject({
    way: { kind: 'stdio', command: ['node', 'board.js'], environment: { KEY: 'secret-of-the-board' } },
    tools: null,
    dispatchesAtOnce: 1,
  });
  expect(config.secrets).toEqual(expect.arrayContaining(['token-of-the-server', 'secret-of-the-board']));
  expect(config.secrets).not.toContain('x');
  expect(config.agents.get('dev')).toMatchObject({ mcpServers: ['far', 'board'], mcpInRestrictedRuns: true });
});

describe('what is refused', () => {
  test.each([
    ['  far: { }', 'mcp_servers.far.command'],
    ['  far: { url: "http://x.test", command: [a] }', 'mcp_servers.far.command'],
    ['  far: { command: [a], token: "${TOKEN}" }', 'mcp_servers.far.token'],
    ['  far: { url: "http://x.test", environment: { A: "${TOKEN}" } }', 'mcp_servers.far.environment'],
    ['  far: { url: "http://x.test", header: "no colon" }', 'mcp_servers.far.header'],
    ['  forge: { url: "http://x.test" }', 'mcp_servers'],
  ])('%s', (servers, words) => {
    using written = folder(servers);
    const [first] = written.problems();
    expect(first!.path).toContain(words);
  });

  test('a server that nobody named, and tools of one that the agent does not have', () => {
    using written = folder('  far: { url: "http://x.test" }', 'mcp_servers: [fra]');
    expect(written.problems()).toEqual([
      expect.objectContaining({
        file: 'agents/dev.md',
        path: 'mcp_servers',
        problem: 'there is no MCP server of that name',
      }),
    ]);
    using other = folder('  far: { url: "http://x.test" }', 'tools: [mcp__far__draw]');
    expect(other.problems()[0]).toMatchObject({ problem: 'is no tool of an MCP server that this agent has' });
  });
});
