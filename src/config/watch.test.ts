import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConfigFolder, SMALL_CONFIG } from '../../test/support/config-folder.ts';
import { ConfigError } from '../errors.ts';
import type { LoadedConfig } from './config.ts';
import { watchConfig } from './watch.ts';

type News =
  | { kind: 'changed'; config: LoadedConfig }
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
    onChange: (config) => tell({ kind: 'changed', config }),
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
