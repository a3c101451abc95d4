import { expect, test } from 'vitest';
import type { Forge } from '../forges/forge.ts';
import { createGiteaFamilyClient } from '../forges/gitea/client.ts';
import { outgoingForge } from './outgoing-forge.ts';

const RULES = { own: 5, keywords: ['erledigt'], strict: false };
const repository = { id: '1', fullName: 'ada/greeter' };

test('every call of a real client is known to it; one that is not is refused before it is made', async () => {
  const client = createGiteaFamilyClient({ name: 'home', url: 'http://127.0.0.1:1', token: 'x' });
  const silent = Object.fromEntries(
    Object.entries(client).map(([name, member]) => [
      name,
      typeof member === 'function' ? async () => name : member,
    ]),
  ) as unknown as Forge;
  const forge = outgoingForge(silent, () => RULES) as unknown as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  const item = { title: '', body: '', inline: [], description: '' };
  for (const [name, member] of Object.entries(client)) {
    if (typeof member !== 'function') continue;
    const args = /Comment$/.test(name) ? [repository, 1, ''] : [item, item, item];
    expect(await forge[name]!(...args), name).toBe(name);
  }
  const shouting = outgoingForge({ ...silent, shout: async () => {} } as Forge, () => RULES);
  expect(() => (shouting as unknown as { shout(): void }).shout()).toThrow(/no filter for what it says/);
});

test('the forge’s own closing words are broken, and the own issue is closed', async () => {
  const said: string[] = [];
  const client = { createComment: async (...[, , body]: unknown[]) => void said.push(String(body)) };
  const forge = outgoingForge(client as unknown as Forge, () => RULES);
  await forge.createComment(repository, 1, 'Erledigt #2, closes #5');
  expect(said).toEqual(['Erledigt\u200d #2, closes #5']);
});
