/** Bytes from the forge's own site, with the token in one header. */
import { ForgeMissing, ForgeRefused, ForgeUnavailable } from '../../errors.ts';
import type { ForgeAccount } from '../kit.ts';
import { describeTrouble } from './refusals.ts';

const TIMEOUT_MS = 30_000;

export async function readBytes(account: ForgeAccount, path: string, most: number): Promise<Uint8Array> {
  const where = `${account.name}: GET ${path}`;
  try {
    const response = await (account.fetch ?? fetch)(`${account.url.replace(/\/+$/, '')}${path}`, {
      // The token stays here: a forge that keeps files elsewhere redirects there.
      // guard: pictures: the token stays with the forge
      redirect: 'manual',
      signal: AbortSignal.timeout(account.timeoutMs ?? TIMEOUT_MS),
      headers: { authorization: `token ${account.token}`, 'user-agent': 'claude-hooks' },
    });
    if (!response.ok) throw failure(where, response.status);
    return await bounded(response, most, where);
  } catch (error) {
    if (error instanceof ForgeRefused || error instanceof ForgeMissing || error instanceof ForgeUnavailable)
      throw error;
    throw new ForgeUnavailable(describeTrouble(account, { method: 'GET', path }, error));
  }
}

function failure(where: string, status: number): Error {
  if (status === 404) return new ForgeMissing(`${where} answered 404. Check that the account may see it.`);
  if (status >= 500 || status === 429)
    return new ForgeUnavailable(`${where} answered ${status}. Try again later.`, status);
  const elsewhere = status >= 300 && status < 400 ? ', because the forge keeps the file elsewhere' : '';
  return new ForgeRefused(`${where} answered ${status}${elsewhere}. Look at it in a browser.`, status);
}

async function bounded(response: Response, most: number, where: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body ?? []) {
    size += piece.length;
    if (size > most)
      throw new ForgeRefused(
        `${where} has more than ${most} bytes. Look at it in a browser.`,
        response.status,
      );
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
