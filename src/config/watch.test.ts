import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConfigFolder, SMALL_CONFIG } from '../../test/support/config-folder.ts';
import { ConfigError } from '../errors.ts';
import type { ConfigChanges } from './changes.ts';
import type { LoadedConfig } from './config.ts';
import { watchConfig } from './watch.ts';

type News =
  | { kind: 'changed'; config: LoadedConfig; changes: ConfigChanges }
  | { kind: 'rejected'; error: ConfigError; kept: LoadedConfig };

function watched(files: Record<string, string> = {}) {
  const folder = new ConfigFolder(files);
  const news: News[] = [];
  let wake: (() => void) | null = null;
  const tell = (item: News) => {
    news.push(item);
    wake?.();
  };
  const watcher = watchConfig({
    file: folder.file,
    env: folder.env,
    onChange: (config, changes) => tell({ kind: 'changed', config, changes }),
    onRejected: (error, kept) => tell({ kind: 'rejected', error, kept }),
  });
  onTestFinished(() => {
    watcher.close();
    folder[Symbol.dispose]();
  });
  const next = async (): Promise<News> => {
    if (news.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return news.shift()!;
  };
  return { folder, watcher, next };
}

describe('what a reload has changed', () => {
  const changesIn = async (next: () => Promise<News>, path: string): Promise<ConfigChanges> => {
    const { changes } = (await next()) as Extract<News, { kind: 'changed' }>;
    return { ...changes, files: changes.files.map((file) => file.replace(`${path}/`, '')) };
  };

  test('is named by option, agent, flow and file, with what counts later', async () => {
    const { folder, next } = watched({ 'agents/dev.md': '---\ndescription: Works.\n---\nWork.\n' });
    folder.write({
      'claude-hooks.yaml': `${SMALL_CONFIG}worker: { concurrency: 8 }\nmailbox: { quiet_seconds: 1 }\n`,
      'agents/dev.md': '---\ndescription: Works.\nmax_turns: 9\n---\nWork well.\n',
      'agents/helper.md': '---\ndescription: Helps.\n---\nHelp.\n',
      'flows/mine.yaml':
        '[{ name: dev-assigned, enabled: false }, { name: more, on: [issue.labeled], agent: dev, skill: work-on-issue }]',
    });
    const changes = await changesIn(next, folder.path);
    expect(changes).toEqual({
      files: ['agents/dev.md', 'agents/helper.md', 'claude-hooks.yaml', 'flows/mine.yaml'],
      options: ['worker.concurrency: 4 → 8', 'mailbox.quiet_seconds: 0.3 → 1'],
      agents: ['dev (instructions, maxTurns, quietSeconds)', 'reviewer (quietSeconds)', 'helper (new)'],
      flows: expect.arrayContaining(['more (new)', expect.stringMatching(/^dev-assigned \(.*enabled.*\)$/)]),
      atNextStart: ['worker.concurrency'],
    });
  });

  test('shows no secret, old or new, nor what may hold one', async () => {
    const text = SMALL_CONFIG.replace(/api_key: .*/, 'api_key_file: secrets/key');
    const { folder, next } = watched({ 'claude-hooks.yaml': text, 'secrets/key': 'old-key-1' });
    const changed = text
      .replace('${HOOK_SECRET}', '[hook-2, hook-3]')
      .replace('[team/shop, other/*]', '[{ name: team/shop, webhook_secret: own-4 }]')
      .replace('"${DEV_TOKEN}"', 'token-5')
      .replace('https://forge.example.org/', 'https://me:pass-6@forge.example.org/');
    folder.write({
      'secrets/key': 'new-key-7',
      'claude-hooks.yaml': `${changed}database: { url: "postgres://u:pass-8@db/x" }\n`,
    });
    const changes = await changesIn(next, folder.path);
    expect(changes.options).toEqual([
      'database.url (a secret)',
      'model.api_key (a secret)',
      'forges.home.url: https://forge.example.org/ → https://[redacted]@forge.example.org/',
      'forges.home.webhook_secret (a secret)',
      'forges.home.repositories',
      'forges.home.accounts.dev.token (a secret)',
    ]);
    expect(JSON.stringify(changes)).not.toMatch(/-\d\b|-value/);
    expect(changes.files).toEqual(['claude-hooks.yaml', 'secrets/key']);
  });
});

describe('hot reload', () => {
  test('a wrong change is rejected and the last good version stays; the correction is taken', async () => {
    const { folder, watcher, next } = watched();
    const first = watcher.current();
    folder.write({ 'claude-hooks.yaml': `${SMALL_CONFIG}server: { prot: 1 }\n` });
    const rejected = await next();
    expect(rejected).toMatchObject({ kind: 'rejected', kept: first });
    expect((rejected as { error: ConfigError }).error.message).toContain('server.prot');
    expect(watcher.current()).toBe(first);
    folder.write({ 'claude-hooks.yaml': `${SMALL_CONFIG}server: { port: 1234 }\n` });
    expect(await next()).toMatchObject({ kind: 'changed', config: { server: { port: 1234 } } });
    expect(watcher.current().server.port).toBe(1234);
  });

  test('an editor that renames, a new folder, a secret file and a replaced folder are all seen', async () => {
    const text = SMALL_CONFIG.replace(/api_key: .*/, 'api_key_file: secrets/key');
    const { folder, watcher, next } = watched({ 'claude-hooks.yaml': text, 'secrets/key': 'one' });
    const put = (name: string, content: string) => {
      writeFileSync(join(folder.path, `${name}~`), content);
      renameSync(join(folder.path, `${name}~`), join(folder.path, name));
    };
    put('claude-hooks.yaml', `${text}log: { level: debug }\n`);
    expect(await next()).toMatchObject({ kind: 'changed', config: { log: { level: 'debug' } } });

    put('secrets/key', 'two');
    expect(await next()).toMatchObject({
      kind: 'changed',
      config: { model: { credential: { kind: 'api-key', value: 'two' } } },
    });

    folder.write({ 'agents/helper.md': '---\ndescription: Helps.\n---\nHelp.\n' });
    expect(await next()).toMatchObject({ kind: 'changed' });
    expect(watcher.current().agents.has('helper')).toBe(true);

    mkdirSync(join(folder.path, 'next'));
    writeFileSync(join(folder.path, 'next', 'other.md'), '---\ndescription: Other.\n---\nHelp.\n');
    rmSync(join(folder.path, 'agents'), { recursive: true });
    renameSync(join(folder.path, 'next'), join(folder.path, 'agents'));
    await next();
    expect([...watcher.current().agents.keys()]).toEqual(['dev', 'reviewer', 'other']);

    // The watcher must have followed to the folder that is there now.
    writeFileSync(join(folder.path, 'agents', 'third.md'), '---\ndescription: Third.\n---\nHelp.\n');
    await next();
    expect(watcher.current().agents.has('third')).toBe(true);
  });

  test('a log file beside the configuration is no change: what was loaded stays as it is', () => {
    const { folder, watcher } = watched();
    const first = watcher.current();
    folder.write({ 'service.log': 'a line' });
    watcher.refresh();
    expect(watcher.current()).toBe(first);
  });

  test('a first version that is wrong is not watched', () => {
    using folder = new ConfigFolder({ 'claude-hooks.yaml': 'model: {}\n' });
    const never = () => expect.unreachable();
    expect(() => watchConfig({ file: folder.file, env: {}, onChange: never, onRejected: never })).toThrow(
      ConfigError,
    );
  });
});
