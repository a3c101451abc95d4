/** What a token, an account's role and a rename make of the API and of git: the refusals of real servers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needs } from '../test/support/requirements.ts';
import { type PocketForge, startPocketForge } from './pocket-forge.ts';
import { git } from './pocket-forge-trial.ts';

/** Those of the README. */
const SCOPES = ['write:repository', 'write:issue', 'read:user'];
const here = needs('git');

describe.skipIf(!here.ok).each(['forgejo', 'gitea'] as const)('tokens and roles on %s', (kind) => {
  let folder: string;
  let forge: PocketForge;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'scopes-'));
    const users = [
      { login: 'owner', token: 'owner-token' },
      { login: 'bot', token: 'bot-token', scopes: SCOPES },
      { login: 'admin', token: 'admin-token', scopes: SCOPES },
      { login: 'reads', token: 'reads-token', scopes: ['read:repository'] },
      { login: 'named', token: 'named-token', scopes: SCOPES, repositories: ['owner/one'] },
    ];
    forge = await startPocketForge({ kind, folder, users });
    for (const name of ['one', 'two']) {
      const collaborators = [
        { login: 'bot', permission: 'write' as const },
        { login: 'reads', permission: 'write' as const },
        { login: 'named', permission: 'admin' as const },
        { login: 'admin', permission: 'admin' as const },
      ];
      await forge.createRepository({ owner: 'owner', name, files: { a: 'a\n' }, collaborators });
    }
  });
  afterAll(async () => {
    await forge.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function status(login: string, path: string, body?: object): Promise<number> {
    const answer = await fetch(`${forge.url}/api/v1${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `token ${login}-token` },
      redirect: 'manual',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return answer.status;
  }

  test.each([
    ['/user', 200, 200],
    ['/orgs/owner', 403, 403],
    ['/repos/owner/one/teams', 405, 405],
    ['/repos/owner/one/collaborators/owner/permission', 403, 200],
    ['/repos/owner/one/collaborators/SELF/permission', 200, 200],
    ['/repos/owner/one/hooks', 403, 200],
    ['/repos/owner/one/actions/runs', kind === 'gitea' ? 403 : 200, kind === 'gitea' ? 403 : 200],
    ['/repos/owner/one/actions/tasks', 200, 200],
    ['/repos/owner/one/commits/main/status', 200, 200],
    ['/repos/owner/one/issues', 200, 200],
  ])('%s answers a writer %i and an administrator %i', async (path, writer, administrator) => {
    expect(await status('bot', path.replace('SELF', 'bot'))).toBe(writer);
    expect(await status('admin', path.replace('SELF', 'admin'))).toBe(administrator);
  });

  test('the owner, whose token has all scopes, is refused neither runs nor organizations', async () => {
    expect(await status('owner', '/repos/owner/one/actions/runs')).toBe(200);
    expect(await status('owner', '/orgs/owner')).toBe(404);
  });

  test('a scope is for its group and for reading or writing', async () => {
    expect(await status('reads', '/repos/owner/one/pulls')).toBe(200);
    expect(await status('reads', '/repos/owner/one/issues')).toBe(403);
    expect(await status('reads', '/user')).toBe(403);
    expect(await status('reads', '/repos/owner/one/labels', { name: 'x', color: '112233' })).toBe(403);
    expect(await status('bot', '/repos/owner/one/issues', { title: 'x' })).toBe(201);
    const to = (login: string) => `${forge.url.replace('://', `://x:${login}-token@`)}/owner/one.git`;
    const clone = mkdtempSync(join(folder, 'clone-'));
    expect((await git(clone, 'clone', '-q', to('reads'), '.')).exitCode).toBe(0);
    expect((await git(clone, 'push', '-q', 'origin', 'HEAD:refs/heads/x')).out).toContain('403');
    expect((await git(clone, 'push', '-q', to('bot'), 'HEAD:refs/heads/x')).exitCode).toBe(0);
  });

  test('a token for named repositories knows no user, no permission and no hook, and no other repository', async () => {
    expect(await status('named', '/repos/owner/one/issues')).toBe(200);
    expect(await status('named', '/repos/owner/one/issues', { title: 'mine' })).toBe(201);
    for (const path of [
      '/user',
      '/repos/owner/one/collaborators/owner/permission',
      '/repos/owner/one/hooks',
    ]) {
      expect(await status('named', path)).toBe(403);
    }
    expect(await status('named', '/repos/owner/two/issues')).toBe(404);
  });

  test('after a rename the old name leads to the new one, by the API and by git', async () => {
    await forge.as('owner').renameRepository('owner/two', 'deux');
    const old = `${forge.url}/owner/two.git`;
    for (const method of ['GET', 'POST', 'PATCH']) {
      const answer = await fetch(`${forge.url}/api/v1/repos/owner/two/issues/1`, {
        method,
        redirect: 'manual',
      });
      const target = '/api/v1/repos/owner/deux/issues/1';
      expect([answer.status, answer.headers.get('location')]).toEqual([301, target]);
    }
    expect((await git(folder, 'ls-remote', old, 'main')).out).toContain('refs/heads/main');
  });

  test('an unknown account cannot be assigned, and nothing is said of why', async () => {
    const body = JSON.stringify({ title: 'x', assignees: ['nobody'] });
    const headers = { authorization: 'token owner-token' };
    const path = `${forge.url}/api/v1/repos/owner/one/issues`;
    const answer = await fetch(path, { method: 'POST', headers, body });
    expect([answer.status, ((await answer.json()) as { message: string }).message]).toEqual([500, '']);
  });
});
