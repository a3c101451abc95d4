/** What a run asks the door for, by its agent's file. */
import { expect, test } from 'vitest';
import type { McpRun } from '../../mcp-door/port.ts';
import { openMcp } from './mcp-servers.ts';

async function asked(agent: { mcpServers: string[]; mcpInRestrictedRuns: boolean }): Promise<McpRun> {
  let seen: McpRun | null = null;
  const open = async (run: McpRun) => {
    seen = run;
    return { servers: [], close: async () => {} };
  };
  const known = { far: { name: 'far' }, board: { name: 'board' } };
  await openMcp(
    { agent: { disallowedTools: ['mcp__far__draw'], ...agent }, key: {}, signal: null } as never,
    { config: () => ({ mcpServers: known }), mcp: { open } } as never,
    () => 'it has read text by cy',
  );
  return seen!;
}

test('the door is asked for the servers of the file, and shut in a restricted run', async () => {
  const run = await asked({ mcpServers: ['board', 'far'], mcpInRestrictedRuns: false });
  expect(run.servers.map(({ name }) => name)).toEqual(['board', 'far']);
  expect(run.disallowed).toEqual(['mcp__far__draw']);
  expect(run.restriction()).toBe('it has read text by cy');
  expect((await asked({ mcpServers: [], mcpInRestrictedRuns: false })).servers).toEqual([]);
});

test('unless the file says otherwise', async () => {
  const run = await asked({ mcpServers: ['far'], mcpInRestrictedRuns: true });
  expect(run.restriction()).toBeNull();
});
