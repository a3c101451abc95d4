import { expect, test } from 'vitest';
import { ConfigFolder, SMALL_CONFIG } from '../../test/support/config-folder.ts';
import { serveSample, stdioSample } from '../../test/support/mcp-sample.ts';
import { silentLog } from '../log.ts';
import { checkMcpServers } from './mcp-servers.ts';

const TOKEN = 'secret-of-the-address-4711';

async function look(servers: Record<string, object>) {
  const names = Object.keys(servers).join(', ');
  using folder = new ConfigFolder({
    'claude-hooks.yaml': `${SMALL_CONFIG}mcp_servers: ${JSON.stringify(servers)}\n`,
    'agents/dev.md': `---\ndescription: Draws.\nmcp_servers: [${names}]\n---\nDraw.\n`,
  });
  const config = folder.load();
  const checks = await checkMcpServers(config, [config.agents.get('dev')!], {
    network: { fetch, proxyFor: () => null },
    log: silentLog,
  });
  return checks.map(({ check, subject, severity, problem, evidence, remedy }) => {
    expect(check).toBe('mcp-server');
    expect(evidence).not.toContain(TOKEN);
    return { subject, severity, problem, evidence, remedy };
  });
}

test('each server of an acting agent is asked for its tools, and what is wrong is named', async () => {
  const { url } = await serveSample({ token: TOKEN });
  const { command } = stdioSample();
  const [here, lacking, absent] = await look({
    here: { url, token: TOKEN, tools: ['sum'] },
    lacking: { command, tools: ['sum', 'paint'] },
    absent: { command: ['/nowhere/at-all'] },
  });
  expect(here).toMatchObject({ subject: 'here, for dev', severity: 'ok', evidence: 'sum' });
  expect(lacking).toMatchObject({ severity: 'broken', problem: 'it lacks a tool that it must have' });
  expect(lacking!.evidence).toContain('does not have paint');
  expect(lacking!.remedy).toContain('mcp_servers.lacking.tools');
  expect(absent).toMatchObject({ severity: 'broken', problem: 'it cannot be started or reached' });
  expect(absent!.evidence).toContain('ENOENT');
});

test('a server that does not know us is named without our secret, and without servers nothing is said', async () => {
  const { url } = await serveSample({ token: 'another' });
  expect(await look({ far: { url, token: TOKEN } })).toMatchObject([
    { severity: 'broken', problem: 'it cannot be started or reached' },
  ]);
  expect(await look({})).toEqual([]);
});
