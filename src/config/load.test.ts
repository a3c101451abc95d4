import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigFolder, SMALL_CONFIG, SMALL_ENV } from '../../test/support/config-folder.ts';

describe('a small configuration', () => {
  test('gets every default, absolute paths and resolved secrets', () => {
    using folder = new ConfigFolder();
    const config = folder.load();
    expect(config.server).toEqual({
      host: '127.0.0.1',
      port: 8787,
      maxBodyBytes: 26_214_400,
      publicUrl: null,
    });
    expect(config.state).toBe(join(folder.path, 'state'));
    expect(config.database).toEqual({ url: `sqlite:${folder.path}/state/claude-hooks.db` });
    expect(config.model).toEqual({
      upstream: 'https://api.anthropic.com',
      credential: { kind: 'api-key', value: 'model-key-value' },
      default: 'sonnet',
      small: null,
      retries: 2,
      idleSeconds: 120,
    });
    expect(config.worker.leaseSeconds).toBe(30);
    expect(config.forges.home).toEqual({
      name: 'home',
      kind: 'forgejo',
      url: 'https://forge.example.org',
      cloneUrl: 'https://forge.example.org',
      webhookSecrets: ['hook-secret-value'],
      repositories: [
        { pattern: 'team/shop', secrets: [], feedback: null, merge: null },
        { pattern: 'other/*', secrets: [], feedback: null, merge: null },
      ],
      trustedSenders: null,
      requiredPermission: 'write',
      allowedBots: [],
      forkPulls: false,
      lfs: 'pointers',
      closingKeywords: [],
      intake: 'both',
      lookSeconds: null,
      feedback: null,
      optOutLabels: ['no-agent'],
      accounts: {
        dev: { login: 'dev-bot', token: 'dev-token-value' },
        reviewer: { login: 'review-bot', token: 'review-token-value' },
      },
    });
    expect([...config.secrets].sort()).toEqual(Object.values(SMALL_ENV).sort());
    expect(config.warnings).toEqual([]);
  });

  test('brings the shipped agents, flows and skills', () => {
    using folder = new ConfigFolder();
    const config = folder.load();
    expect([...config.agents.keys()]).toEqual(['dev', 'reviewer']);
    expect(config.agents.get('dev')).toMatchObject({
      publish: 'pull-request',
      branchPrefix: 'dev',
      model: 'sonnet',
      resume: 'resume',
      permissionMode: 'bypassPermissions',
      quietSeconds: 0.3,
      maxWaitSeconds: 60,
      concurrency: 2,
    });
    expect(config.agents.get('reviewer')).toMatchObject({
      publish: 'review',
      disallowedTools: ['Edit', 'Write', 'NotebookEdit'],
      // A reviewer says what it has to say in its final answer.
      forge: { tools: expect.not.arrayContaining(['comment', 'submit_review', 'merge']) },
    });
    expect([...config.skills.keys()]).toEqual([
      'address-review',
      'answer-comment',
      'decide',
      'design-review',
      'design',
      'fix-ci',
      'merge',
      'rebase',
      'review-pull',
      'work-on-issue',
    ]);
  });

  test('is frozen all the way down', () => {
    using folder = new ConfigFolder();
    const config = folder.load();
    expect(() => Object.assign(config.server, { port: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.agents.get('dev')!, { model: 'x' })).toThrow(TypeError);
    expect(() => (config.flows as unknown[]).push(1)).toThrow(TypeError);
  });
});

describe('values', () => {
  test('variables become numbers and booleans where those are wanted, and defaults stand in', () => {
    const text = `${SMALL_CONFIG}server: { port: "\${PORT}", host: "\${HOST:-0.0.0.0}" }
sessions: { archive: "\${ARCHIVE:-false}" }
`;
    using folder = new ConfigFolder({ 'claude-hooks.yaml': text }, { ...SMALL_ENV, PORT: '9000' });
    const config = folder.load();
    expect(config.server).toMatchObject({ port: 9000, host: '0.0.0.0' });
    expect(config.sessions.archive).toBe(false);
  });

  test('a numeric token stays a text', () => {
    using folder = new ConfigFolder({}, { ...SMALL_ENV, DEV_TOKEN: '0123456' });
    expect(folder.load().forges.home!.accounts.dev!.token).toBe('0123456');
  });

  test('secrets come from files, one or several, without the last line break', () => {
    const text = SMALL_CONFIG.replace(/api_key: .*/, 'api_key_file: secrets/key').replace(
      /webhook_secret: .*/,
      `webhook_secret_file: [secrets/new, "\${NAME_OF_OLD}"]`,
    );
    using folder = new ConfigFolder(
      {
        'claude-hooks.yaml': text,
        'secrets/key': 'from-file\n',
        'secrets/new': 'new\r\n',
        'secrets/old': 'old',
      },
      { ...SMALL_ENV, NAME_OF_OLD: 'secrets/old' },
    );
    const config = folder.load();
    expect(config.model.credential).toEqual({ kind: 'api-key', value: 'from-file' });
    expect(config.forges.home!.webhookSecrets).toEqual(['new', 'old']);
    expect(config.secrets).toEqual(expect.arrayContaining(['from-file', 'new', 'old']));
  });

  test('a secret in the file itself works, is warned about, and is not in the warning', () => {
    using folder = new ConfigFolder({
      'claude-hooks.yaml': SMALL_CONFIG.replace(`\${MODEL_KEY}`, 'typed-into-the-file'),
    });
    const config = folder.load();
    expect(config.model.credential.value).toBe('typed-into-the-file');
    expect(config.warnings).toEqual([
      `${folder.file}: model.api_key: the secret stands in the file itself. Write \${VARIABLE} or use api_key_file.`,
    ]);
  });

  test('the password of a database address is a secret, the address without one is no cause for a warning', () => {
    using withPassword = new ConfigFolder(
      {
        'claude-hooks.yaml': `${SMALL_CONFIG}database: { url: "postgres://hooks:\${DB}@db.example.org/hooks" }\n`,
      },
      { ...SMALL_ENV, DB: 'p%40ss' },
    );
    expect(withPassword.load().secrets).toEqual(expect.arrayContaining(['p%40ss', 'p@ss']));
    using sqlite = new ConfigFolder({
      'claude-hooks.yaml': `${SMALL_CONFIG}database: { url: "sqlite:data/my.db" }\n`,
    });
    expect(sqlite.load().database.url).toBe(`sqlite:${sqlite.path}/data/my.db`);
    expect(sqlite.load().warnings).toEqual([]);
  });

  test("an agent's container is the general one with its own keys in front, in bytes and absolute paths", () => {
    using folder = new ConfigFolder({
      'claude-hooks.yaml': SMALL_CONFIG.replace(
        '{ engine: process }',
        '{ engine: bubblewrap, memory: 1.5g, user: "1000", mounts: [{ source: tools, target: /tools }] }',
      ),
      'agents/reviewer.md':
        '---\ndescription: Reviews.\ncontainer: { memory: 512m, user: "7:8", pids: 99, network: host }\n---\nReview.\n',
    });
    const config = folder.load();
    const mounts = [{ source: join(folder.path, 'tools'), target: '/tools', access: 'read' }];
    expect(config.agents.get('dev')!.container).toEqual({
      packages: 'off',
      names: null,
      image: null,
      memoryBytes: 1.5 * 1024 ** 3,
      cpus: null,
      pids: 2048,
      user: { uid: 1000, gid: 1000 },
      network: 'none',
      mounts,
      tools: [],
      caches: [],
      setup: {
        commands: [],
        lockFiles: [],
        keep: [],
        timeoutMs: 20 * 60_000,
        memoryBytes: 1.5 * 1024 ** 3,
        maxBytes: 10 * 1024 ** 3,
        repositoryFile: true,
      },
    });
    expect(config.agents.get('reviewer')!.container).toMatchObject({
      memoryBytes: 512 * 1024 ** 2,
      user: { uid: 7, gid: 8 },
      pids: 99,
      network: 'host',
      mounts,
    });
  });

  test('a token instead of a key is sent as a bearer, and is a secret', () => {
    using folder = new ConfigFolder({
      'claude-hooks.yaml': SMALL_CONFIG.replace('api_key:', 'auth_token:'),
    });
    const config = folder.load();
    expect(config.model.credential).toEqual({ kind: 'bearer', value: 'model-key-value' });
    expect(config.secrets).toContain('model-key-value');
  });

  test('a heading with nothing below it is as if it were not there', () => {
    using folder = new ConfigFolder({ 'claude-hooks.yaml': `${SMALL_CONFIG}server:\nlog:\n  level:\n` });
    expect(folder.load().log).toEqual({ level: 'info', format: 'auto' });
  });
});
