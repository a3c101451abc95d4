/** Whose token it is, by which address the forge knows the account's commits as its own, and which forge answers. */
import { z } from 'zod';
import { ForgeMissing, ForgeRefused } from '../../errors.ts';
import { sameLogin } from '../../logins.ts';
import type { ForgeIdentity } from '../forge.ts';
import type { ForgeAccount } from '../kit.ts';
import { createForgeHttp, type ForgeHttp } from './http.ts';
import type { FamilyMember } from './member.ts';
import { toUser } from './objects.ts';
import { user as userShape } from './payloads.ts';

const userAnswer = z.object({ login: z.string(), email: z.string().nullish() });
const settingsAnswer = z.object({ hide_email: z.boolean().nullish() });

export function createIdentity(account: ForgeAccount, http: ForgeHttp): ForgeIdentity {
  // Addresses are asked for once and kept: they change seldom, and a new token or a restart asks again.
  const known = new Map<string, string>();
  return {
    async commitAddress(login) {
      const address = known.get(login) ?? (await own(http, login)) ?? (await shown(account, login));
      if (address === null) return `${login}@noreply.${new URL(account.url).hostname}`;
      known.set(login, address);
      return address;
    },
    async self() {
      return toUser((await http.send({ method: 'GET', path: '/user' }, userShape)).value);
    },
    version: () => version(http),
    async serverTime() {
      const { headers } = await http.tell({ method: 'GET', path: '/version' });
      const time = Date.parse(headers.get('date') ?? '');
      return Number.isNaN(time) ? null : time;
    },
  };
}

/** null: the address is hidden, the token may not read it (`read:user`), or the token is another account's. */
async function own(http: ForgeHttp, login: string): Promise<string | null> {
  return await answered(async () => {
    const { value: user } = await http.send({ method: 'GET', path: '/user' }, userAnswer);
    if (!sameLogin(user.login, login)) return null;
    const { value: settings } = await http.send({ method: 'GET', path: '/user/settings' }, settingsAnswer);
    // The forge shows a hidden address to its owner. In a commit everybody would read it.
    // guard: a hidden address stays hidden
    return settings.hide_email === false ? valid(user.email) : null;
  });
}

/** What anybody is shown: the address that the forge itself puts into commits of such accounts. */
async function shown(account: ForgeAccount, login: string): Promise<string | null> {
  const path = `/users/${encodeURIComponent(login)}`;
  const http = createForgeHttp({ ...account, anonymous: true });
  return await answered(async () =>
    valid((await http.send({ method: 'GET', path }, userAnswer)).value.email),
  );
}

async function answered(ask: () => Promise<string | null>): Promise<string | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ForgeRefused || error instanceof ForgeMissing) return null;
    throw error;
  }
}

function valid(email: string | null | undefined): string | null {
  return /^[^\s<>@\u0000-\u001f]{1,100}@[^\s<>@\u0000-\u001f]{1,150}$/.test(email ?? '') ? email! : null;
}

async function version(http: ForgeHttp): Promise<{ version: string; kind: FamilyMember }> {
  const { value } = await http.send({ method: 'GET', path: '/version' }, z.object({ version: z.string() }));
  // Forgejo names the Gitea it is compatible with behind its own version: 16.0.3+gitea-1.22.0.
  return { version: value.version, kind: /\+gitea-/.test(value.version) ? 'forgejo' : 'gitea' };
}
