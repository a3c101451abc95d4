/** By which address the forge knows an account's commits as its own. */
import { z } from 'zod';
import { ForgeMissing, ForgeRefused } from '../../errors.ts';
import type { ForgeReader } from '../forge.ts';
import { createForgeHttp, type ForgeAccount, type ForgeHttp } from './http.ts';

const userAnswer = z.object({ login: z.string(), email: z.string().nullish() });
const settingsAnswer = z.object({ hide_email: z.boolean().nullish() });

/** Asked once and kept: an address changes seldom, and a new token or a restart asks again. */
export function createAddress(account: ForgeAccount, http: ForgeHttp): Pick<ForgeReader, 'commitAddress'> {
  const known = new Map<string, string>();
  return {
    async commitAddress(login) {
      const address = known.get(login) ?? (await own(http, login)) ?? (await shown(account, login));
      if (address === null) return `${login}@noreply.${new URL(account.url).hostname}`;
      known.set(login, address);
      return address;
    },
  };
}

/** null: it is hidden, the token may not read it (`read:user`), or is another account's. */
async function own(http: ForgeHttp, login: string): Promise<string | null> {
  return await answered(async () => {
    const { value: user } = await http.send({ method: 'GET', path: '/user' }, userAnswer);
    if (user.login.toLowerCase() !== login.toLowerCase()) return null;
    const { value: settings } = await http.send({ method: 'GET', path: '/user/settings' }, settingsAnswer);
    // The forge tells its owner a hidden address, too; in a commit everybody would read it.
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
