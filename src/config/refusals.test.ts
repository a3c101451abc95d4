import { describe, expect, test } from 'vitest';
import { ConfigFolder, SMALL_CONFIG, SMALL_ENV } from '../../test/support/config-folder.ts';
import { ConfigError } from '../errors.ts';
import { loadConfig } from './load.ts';

function problemsOf(text: string, env = SMALL_ENV) {
  using folder = new ConfigFolder({ 'claude-hooks.yaml': text }, env);
  return folder.problems();
}

describe('what is refused, and with which words', () => {
  test('a file that is not there', () => {
    expect(() => loadConfig({ file: '/nowhere/claude-hooks.yaml', env: {} })).toThrow(
      '/nowhere/claude-hooks.yaml: cannot be read: it is not there. Create it, let this user read it, or name another file with --config.',
    );
  });

  test('YAML that does not parse, with line and column and without the text', () => {
    const problems = problemsOf('model:\n  api_key: "sk-secret\n   bad: [\n');
    expect(problems[0]).toMatchObject({ file: 'claude-hooks.yaml', path: '', value: null });
    expect(problems[0]!.problem).toMatch(/^is not valid YAML \(.+\), line \d+, column \d+$/);
    expect(JSON.stringify(problems)).not.toContain('sk-secret');
    const alias = problemsOf('model: { api_key: *sk-secret }\n');
    expect(JSON.stringify(alias)).not.toContain('sk-secret');
  });

  test('a file that is a list', () => {
    expect(problemsOf('- a\n')[0]).toMatchObject({ problem: 'is not a mapping' });
  });

  test.each([
    [
      'server: { port: 99999 }',
      'server.port',
      '99999',
      'expected a whole number from 0 to 65535',
      'default|8787',
    ],
    ['server: { port: lots }', 'server.port', '"lots"', 'expected a whole number from 0 to 65535', '8787'],
    ['server: 3', 'server', '3', 'expected a mapping with the keys host, port', 'Set it to a mapping'],
    ['log: { format: xml }', 'log.format', '"xml"', 'expected one of auto, json, pretty', '"auto"'],
    ['sessions: { archive: often }', 'sessions.archive', '"often"', 'expected true or false', 'true'],
    ['server: { public_url: shop }', 'server.public_url', '"shop"', 'expected an http', 'https:// address'],
    ['state: [a, b]', 'state', 'a list of 2', 'expected a non-empty text', './state'],
  ])('%s', (line, path, value, problem, remedy) => {
    const [only, ...more] = problemsOf(`${SMALL_CONFIG}${line}\n`);
    expect(more).toEqual([]);
    expect(only).toMatchObject({ file: 'claude-hooks.yaml', path, value });
    expect(only!.problem).toContain(problem);
    expect(only!.remedy).toMatch(new RegExp(remedy));
  });

  test('an engine that does not exist; without one the strongest is looked for', () => {
    const other = problemsOf(SMALL_CONFIG.replace('engine: process', 'engine: chroot'));
    expect(other[0]).toMatchObject({ path: 'container.engine', value: '"chroot"' });
    expect(other[0]!.problem).toBe('expected one of auto, docker, podman, bubblewrap, process');
    using none = new ConfigFolder({ 'claude-hooks.yaml': SMALL_CONFIG.replace(/container: .*\n/, '') });
    expect(none.load().container.engine).toBe('auto');
  });

  test.each([
    ['memory: lots', 'container.memory', '"lots"', 'a size such as 512m or 4g'],
    ['memory: 0m', 'container.memory', '"0m"', 'a size such as 512m or 4g'],
    ['user: root', 'container.user', '"root"', 'two with a colon, as 1000:1000'],
    ['user: "1000:"', 'container.user', '"1000:"', 'two with a colon, as 1000:1000'],
    ['cpus: 0', 'container.cpus', '0', 'expected a number'],
    ['pids: 2', 'container.pids', '2', 'a whole number from 16'],
    ['network: bridge', 'container.network', '"bridge"', 'expected none, host, or a mapping with allow'],
    ['mounts: [{ source: a, target: b }]', 'container.mounts[0].target', '"b"', 'an absolute path'],
    [
      'mounts: [{ source: a, target: /b, access: all }]',
      'container.mounts[0].access',
      '"all"',
      'expected one of read, write',
    ],
    ['caches: [{ name: ../x, target: /c }]', 'container.caches[0].name', '"../x"', 'lower-case letters'],
  ])('container: { %s }', (line, path, value, problem) => {
    const [only, ...more] = problemsOf(
      SMALL_CONFIG.replace('{ engine: process }', `{ engine: process, ${line} }`),
    );
    expect(more).toEqual([]);
    expect(only).toMatchObject({ file: 'claude-hooks.yaml', path, value });
    expect(only!.problem).toContain(problem);
  });

  test.each([
    ['required_permission: admin', 'forges.home.required_permission', 'expected one of write, read, none'],
    ['allowed_bots: renovate', 'forges.home.allowed_bots', 'expected a list'],
    ['fork_pulls: maybe', 'forges.home.fork_pulls', 'expected true or false'],
  ])('who may wake an agent: %s', (line, path, problem) => {
    const [only, ...more] = problemsOf(SMALL_CONFIG.replace('    accounts:', `    ${line}\n    accounts:`));
    expect(more).toEqual([]);
    expect(only).toMatchObject({ path });
    expect(only!.problem).toContain(problem);
  });

  test('a model without a credential, and one with two', () => {
    const both = problemsOf(SMALL_CONFIG.replace('model:', 'model:\n  auth_token: sk-second-one'));
    expect(both).toMatchObject([{ path: 'model.auth_token' }]);
    expect(JSON.stringify(both)).not.toContain('sk-second-one');
    expect(problemsOf(SMALL_CONFIG.replace(/ {2}api_key: .*\n/, '  small: x\n'))).toMatchObject([
      { path: 'model.api_key' },
    ]);
  });

  test('a forge without repositories, and a name that is no repository', () => {
    expect(problemsOf(SMALL_CONFIG.replace('[team/shop, other/*]', '[]'))[0]).toMatchObject({
      path: 'forges.home.repositories',
      value: 'a list of 0',
      problem:
        'expected a non-empty list of entries, each owner/name or owner/*, or a mapping with name, webhook_secret, feedback and merge',
    });
    expect(problemsOf(SMALL_CONFIG.replace('other/*', 'other'))[0]).toMatchObject({
      path: 'forges.home.repositories[1]',
      value: '"other"',
      problem: 'expected owner/name or owner/*, or a mapping with name, webhook_secret, feedback and merge',
    });
    expect(problemsOf(SMALL_CONFIG.replace('home:', 'My Forge:'))[0]).toMatchObject({
      value: '"My Forge"',
      problem: 'is not a name we accept',
      remedy: 'Rename it: a name you choose in lower-case letters, digits and dashes.',
    });
  });

  test('no forge at all', () => {
    const text = `${SMALL_CONFIG.slice(0, SMALL_CONFIG.indexOf('forges:'))}forges: {}\n`;
    expect(problemsOf(text)[0]).toMatchObject({
      path: 'forges',
      problem: 'expected at least one forge by a name you choose',
    });
  });
});

describe('unknown keys', () => {
  test.each([
    ['server: { prot: 1 }', 'server.prot', 'Did you mean "port"?'],
    ['sever: { port: 1 }', 'sever', 'Did you mean "server"?'],
    ['worker: { run_timout_minutes: 1 }', 'worker.run_timout_minutes', 'Did you mean "run_timeout_minutes"?'],
  ])('%s', (line, path, remedy) => {
    const [only] = problemsOf(`${SMALL_CONFIG}${line}\n`);
    expect(only).toMatchObject({ path, value: null, problem: 'is not a key we know' });
    expect(only!.remedy).toContain(remedy);
  });

  test('a `_file` spelling is among the known ones', () => {
    const found = problemsOf(SMALL_CONFIG.replace(/webhook_secret: .*/, 'webhook_secret_fiel: x'));
    const [second, first] = found;
    expect(first).toMatchObject({ path: 'forges.home.webhook_secret', problem: 'is missing' });
    expect(second!.remedy).toContain('Did you mean "webhook_secret_file"?');
  });
});

describe('variables and secrets', () => {
  test('an unset variable is named, for a secret together with its file', () => {
    const { MODEL_KEY: _, ...env } = SMALL_ENV;
    expect(problemsOf(SMALL_CONFIG, env)).toEqual([
      {
        file: 'claude-hooks.yaml',
        line: 2,
        path: 'model.api_key',
        value: `\${MODEL_KEY}`,
        problem: 'the environment variable MODEL_KEY is not set',
        remedy: 'Set MODEL_KEY for the service, or use api_key_file: <path>.',
      },
    ]);
    expect(problemsOf(`${SMALL_CONFIG}server: { port: "\${PORT}" }\n`)).toMatchObject([
      { path: 'server.port', remedy: `Set PORT for the service, or write \${PORT:-a default}.` },
    ]);
  });

  test('a variable that is not written correctly', () => {
    expect(problemsOf(`${SMALL_CONFIG}state: "\${MY-STATE"\n`)[0]).toMatchObject({
      path: 'state',
      problem: 'a variable is not written correctly',
    });
  });

  test('a wrong value out of a variable is shown as it is written', () => {
    const problems = problemsOf(`${SMALL_CONFIG}server: { port: "\${PORT}" }\n`, {
      ...SMALL_ENV,
      PORT: 'hunter2',
    });
    expect(problems[0]).toMatchObject({ path: 'server.port', value: `\${PORT}` });
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  test('a missing secret names both ways; an empty one is not accepted', () => {
    const missing = problemsOf(SMALL_CONFIG.replace(/ {2}api_key: .*\n/, '  small: x\n'));
    expect(missing[0]).toMatchObject({ path: 'model.api_key', value: null, problem: 'is missing' });
    expect(missing[0]!.remedy).toContain('or api_key_file: <path>');
    const empty = problemsOf(SMALL_CONFIG, { ...SMALL_ENV, MODEL_KEY: '' });
    expect(empty).toMatchObject([{ path: 'model.api_key', value: '[redacted]' }]);
  });

  test('a secret file that is not there, empty, or beside the secret itself', () => {
    const at = (line: string) => SMALL_CONFIG.replace(/api_key: .*/, line);
    expect(problemsOf(at('api_key_file: nowhere'))).toMatchObject([
      { path: 'model.api_key_file', value: 'nowhere', problem: 'cannot be read: it is not there' },
    ]);
    expect(problemsOf(at('api_key_file: claude-hooks.yaml\n  api_key: sk-real-one'))).toMatchObject([
      { path: 'model.api_key_file', value: null, problem: 'api_key is set as well' },
    ]);
    using folder = new ConfigFolder({ 'claude-hooks.yaml': at('api_key_file: key'), key: '\n' });
    expect(folder.problems()).toMatchObject([{ path: 'model.api_key_file', problem: 'is empty' }]);
  });

  test.each([
    ['a token where the account should be', (text: string) => text.replace(/dev: \{.*\}/, 'dev: sk-leak')],
    ['a secret of the wrong type', (text: string) => text.replace(`"\${DEV_TOKEN}"`, '{ a: sk-leak }')],
    [
      'a secret under a mistyped key',
      (text: string) => text.replace(`token: "\${DEV_TOKEN}"`, 'tokn: sk-leak'),
    ],
    [
      'a database address of no known kind',
      (text: string) => `${text}database: { url: "mysql://u:sk-leak@h/d" }\n`,
    ],
    [
      'a reference inside a typed password',
      (text: string) => `${text}database: { url: "postgres://u:sk-leak\${NOPE}@h/d" }\n`,
    ],
  ])('%s is not shown', (_, spoil) => {
    const problems = problemsOf(spoil(SMALL_CONFIG));
    expect(problems.length).toBeGreaterThan(0);
    expect(new ConfigError(problems).message).not.toContain('sk-leak');
  });
});

test('everything that is wrong is said at once, in sentences that end with the remedy', () => {
  const text = SMALL_CONFIG.replace('kind: forgejo', 'kind: sourceforge').replace(
    `\${DEV_TOKEN}`,
    `\${NOT_SET}`,
  );
  using folder = new ConfigFolder({
    'claude-hooks.yaml': `${text}server: { port: -1 }\nagents: ./missing\n`,
    'flows/own.yaml': 'name: x\non: [issue.open]\nagent: dev\nskill: work-on-issue\n',
    'skills/broken.md': '---\ndescription: d\n---\n{{ item.title | shout }}\n',
  });
  expect(folder.problems().map(({ file, path }) => `${file} ${path}`)).toEqual([
    'claude-hooks.yaml forges.home.accounts.dev.token',
    'claude-hooks.yaml server.port',
    'claude-hooks.yaml forges.home.kind',
    'claude-hooks.yaml agents',
    'skills/broken.md line 4',
    'flows/own.yaml x.on[0]',
  ]);
  expect(() => folder.load()).toThrow(
    `${folder.file}:6: forges.home.kind (value: "sourceforge"): expected one of forgejo, gitea. Set it to one of forgejo, gitea. Which forge it is.`,
  );
});
