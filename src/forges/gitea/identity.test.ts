import { expect, test } from 'vitest';
import { createGiteaFamilyClient } from './client.ts';

const USUAL = 'dev-bot@noreply.forge.example.org';

interface Server {
  /** of GET /user: an address, or the status of a refusal */
  user: string | number;
  login?: string;
  hidden?: boolean | number;
  /** of GET /users/dev-bot without a token */
  anybody: string | number;
}

function clientOf(server: Server) {
  const asked: string[] = [];
  const client = createGiteaFamilyClient({
    name: 'home',
    url: 'https://forge.example.org/git',
    token: 'the-token',
    fetch: async (url, { headers } = {}) => {
      const path = String(url).split('/api/v1')[1]!;
      const isAnybody = !('authorization' in (headers as Record<string, string>));
      asked.push(`${path}${isAnybody ? ' as anybody' : ''}`);
      const answer =
        path === '/user'
          ? server.user
          : path === '/user/settings'
            ? (server.hidden ?? false)
            : server.anybody;
      if (typeof answer === 'number') return Response.json({ message: 'no' }, { status: answer });
      if (typeof answer === 'boolean') return Response.json({ hide_email: answer });
      return Response.json({ id: 4, login: server.login ?? 'dev-bot', email: answer });
    },
  });
  return { client, asked };
}

test.each<[string, Server, string]>([
  ['the one of the account', { user: 'bot@team.example', anybody: 'x@y.example' }, 'bot@team.example'],
  [
    'what anybody is shown, where the account hides its own',
    { user: 'bot@team.example', hidden: true, anybody: 'dev-bot@noreply.example.org' },
    'dev-bot@noreply.example.org',
  ],
  [
    'the same where the token lacks read:user',
    { user: 403, anybody: 'dev-bot@noreply.example.org' },
    'dev-bot@noreply.example.org',
  ],
  [
    'the same where nobody knows whether it is hidden',
    { user: 'bot@team.example', hidden: 404, anybody: '4+dev-bot@noreply.example.org' },
    '4+dev-bot@noreply.example.org',
  ],
  ["no other account's", { user: 'ada@team.example', login: 'ada', anybody: 404 }, USUAL],
  ['the usual one of such a forge, where it shows nothing to anybody', { user: 403, anybody: 403 }, USUAL],
  ['none that git would misread', { user: 'a b <c@d.example>', anybody: 401 }, USUAL],
])('an account commits by %s', async (_name, server, address) => {
  const { client, asked } = clientOf(server);
  expect(await client.commitAddress('dev-bot')).toBe(address);
  expect(asked.filter((path) => path.startsWith('/users/'))).toEqual(
    address === server.user ? [] : ['/users/dev-bot as anybody'],
  );
});

test('it is asked for once', async () => {
  const { client, asked } = clientOf({ user: 'bot@team.example', anybody: 404 });
  await client.commitAddress('dev-bot');
  await client.commitAddress('dev-bot');
  expect(asked).toEqual(['/user', '/user/settings']);
});
