import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { diagnose, find } from '../../test/support/doctor.ts';
import { needs } from '../../test/support/requirements.ts';
import { type Installation, openInstallation } from '../../test/support/smoke-config.ts';

const tools = needs('git', 'cli');

let here: Installation;
beforeEach(async () => {
  here = await openInstallation();
});
afterEach(() => here.close());

const account = (login: string, token: string) => ({ home: { accounts: { dev: { login, token } } } });

/** In front of the pocket forge, which knows no scopes: writes of issues are refused in Forgejo's words. */
async function withoutIssueScope(): Promise<string> {
  const server = createServer((request, response) => {
    const isIssue = /\/issues/.test(request.url ?? '');
    if (isIssue) {
      response.writeHead(403, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ message: 'token does not have at least one of required scope(s): [write:issue]' }),
      );
      return;
    }
    void fetch(`${here.forge.url}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { authorization: request.headers.authorization ?? '' },
    }).then(async (answer) => {
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(await answer.text());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.skipIf(!tools.ok)(tools.title('accounts'), () => {
  test('a token the forge does not know', async () => {
    const report = await diagnose(here.config(account('dev-bot', 'an-expired-token')));
    expect(find(report, 'token-refused')).toMatchObject({
      severity: 'broken',
      remedy: expect.stringContaining('forges.home.accounts.dev.token'),
    });
    expect(JSON.stringify(report)).not.toContain('an-expired-token');
  });

  test('a token of somebody else', async () => {
    const report = await diagnose(here.config(account('dev-bot', 'ada-token')));
    expect(find(report, 'token-of-another-account')?.evidence).toContain('the forge answers ada');
  });

  test('a token without the scope for issues', async () => {
    const config = here.config({ home: { url: await withoutIssueScope() } });
    expect(find(await diagnose(config), 'token-scope')).toMatchObject({
      problem: 'the token lacks the scope write:issue',
      remedy: expect.stringContaining('write:issue, write:repository'),
    });
  });

  test('a repository nobody of ours can see', async () => {
    const config = here.config({ home: { repositories: ['ada/secret'] } });
    expect(find(await diagnose(config), 'repository-invisible')).toMatchObject({
      severity: 'broken',
      subject: 'forge home, ada/secret',
    });
  });

  test('an account that may only read', async () => {
    here.forge.state.repositories[0]!.collaborators[0]!.permission = 'read';
    expect(find(await diagnose(here.config()), 'account-cannot-write')?.evidence).toContain('read');
  });

  test('a forge that is not there is one finding per account, not a stack', async () => {
    const config = here.config({ home: { url: 'http://127.0.0.1:9' } });
    const report = await diagnose(config);
    expect(find(report, 'forge-unreachable')).toMatchObject({ subject: 'forge home, agent dev' });
    expect(find(report, 'check-failed')).toBeUndefined();
    expect(find(report, 'repository-invisible')).toBeUndefined();
  });
});
