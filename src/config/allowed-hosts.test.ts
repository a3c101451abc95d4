import { expect, test } from 'vitest';
import { ConfigFolder, SMALL_CONFIG } from '../../test/support/config-folder.ts';

const withNetwork = (network: unknown, more = '') =>
  `${SMALL_CONFIG.replace(/^container: .*$/m, `container: ${JSON.stringify({ engine: 'process', network })}`)}${more}`;
const agent = (lines: string) => ({
  'agents/dev.md': `---\ndescription: Develops.\n${lines}\n---\nDo it.\n`,
});

test('a list of hosts is none of the networks, and an agent’s own replaces the general one', () => {
  using folder = new ConfigFolder({
    'claude-hooks.yaml': withNetwork({
      allow: ['Files.example.org:443', '*.example.net:8443'],
      max_sent: '1m',
    }),
    ...agent(
      'container: { network: { allow: ["[2606:4700::1111]:443"] } }\nnetwork_in_restricted_runs: true',
    ),
  });
  const { agents } = folder.load();
  expect(agents.get('reviewer')!.container).toMatchObject({
    network: 'none',
    names: {
      allow: [
        { host: 'files.example.org', below: false, port: 443 },
        { host: 'example.net', below: true, port: 8443 },
      ],
      maxSent: 1024 ** 2,
      maxReceived: 2 * 1024 ** 3,
      maxConnections: 32,
    },
  });
  expect(agents.get('reviewer')!.networkInRestrictedRuns).toBe(false);
  expect(agents.get('dev')!.container.names!.allow).toEqual([
    { host: '2606:4700::1111', below: false, port: 443 },
  ]);
  expect(agents.get('dev')!.networkInRestrictedRuns).toBe(true);
});

test('without it nothing changes', () => {
  using folder = new ConfigFolder({});
  for (const { container } of folder.load().agents.values()) {
    expect(container).toMatchObject({ network: 'none', names: null });
  }
});

test('an entry that is no host and port is told with the remedy', () => {
  using folder = new ConfigFolder({
    'claude-hooks.yaml': withNetwork({ allow: ['files.example.org', '*.org:443'] }),
  });
  const problems = folder.problems();
  expect(problems.map(({ path }) => path)).toEqual([
    'container.network.allow[0]',
    'container.network.allow[1]',
  ]);
  expect(problems[0]).toMatchObject({
    problem: '"files.example.org" has no port',
    remedy: 'Write a host and a port, as files.example.org:443 or *.example.org:443.',
  });
  expect(problems[1]!.problem).toContain('covers too much');
});

test('a host behind the proxy of the service is refused, because its address could not be checked', () => {
  const proxied = (noProxy: string) =>
    withNetwork(
      { allow: ['files.example.org:443', '*.example.net:443'] },
      `network: { proxy: "http://ada:secret@proxy.example.org:3128", no_proxy: [${noProxy}] }\n`,
    );
  using barred = new ConfigFolder({ 'claude-hooks.yaml': proxied('other.example.org') });
  const problems = barred.problems();
  expect(problems.map(({ value }) => value)).toEqual(['files.example.org:443', '*.example.net:443']);
  expect(problems[0]!.problem).toContain('through the proxy http://proxy.example.org:3128');
  expect(problems[1]!.remedy).toContain('Add .example.net to network.no_proxy');
  expect(JSON.stringify(problems)).not.toContain('secret');
  using direct = new ConfigFolder({ 'claude-hooks.yaml': proxied('files.example.org, .example.net') });
  expect(direct.load().agents.get('dev')!.container.names).not.toBeNull();
});
