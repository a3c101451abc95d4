/** Who is asking: tokens as they were given or made here, and passwords of accounts that were made here. Kept in memory. */
import { randomBytes } from 'node:crypto';
import { ForgeMissing, ForgeRefused } from '../src/errors.ts';
import type { PocketToken } from './pocket-forge-scopes.ts';

export interface MadeToken {
  id: number;
  name: string;
  text: string;
  scopes: readonly string[];
}

const NO_BASIC = 'auth method not allowed. Use the name and the password of the account.';

export class Credentials {
  readonly #tokens = new Map<string, PocketToken>();
  readonly #passwords = new Map<string, string>();
  readonly #made = new Map<string, MadeToken[]>();
  #last = 0;

  add(text: string, token: PocketToken): void {
    this.#tokens.set(text, token);
  }

  /** The account's older tokens are refused from now on; the new one may do what the old one might. */
  replace(login: string, text: string): void {
    const old = [...this.#tokens].filter(([, one]) => one.login.toLowerCase() === login.toLowerCase());
    for (const [one] of old) this.#tokens.delete(one);
    this.#tokens.set(text, { ...(old[0]?.[1] ?? { scopes: null, repositories: null }), login });
  }

  setPassword(login: string, password: string): void {
    this.#passwords.set(login.toLowerCase(), password);
  }

  /** With the account go its password and its tokens. */
  forget(login: string): void {
    this.#passwords.delete(login.toLowerCase());
    this.#made.delete(login.toLowerCase());
    for (const [text, one] of this.#tokens) {
      if (one.login.toLowerCase() === login.toLowerCase()) this.#tokens.delete(text);
    }
  }

  /**
   * `token X` and `Bearer X` in any case; Basic with a token as the password, or as the user name with no password (or
   * git's `x-oauth-basic`); Basic with name and password. No header is an anonymous visitor; what is wrong is refused
   * even where an anonymous visitor would be welcome.
   */
  authenticate(header: string | undefined): PocketToken | null {
    if (header === undefined || header === '') return null;
    const { texts, login } = candidates(header);
    const token = texts.map((text) => this.#tokens.get(text)).find((found) => found !== undefined);
    if (token !== undefined) return token;
    const password = login === null ? undefined : this.#passwords.get(login.toLowerCase());
    if (password !== undefined && texts[0] === password) {
      return { login: login!, scopes: null, repositories: null, byPassword: true };
    }
    throw new ForgeRefused('The token is not known here. Use one of those the forge was started with.', 401);
  }

  list(login: string): readonly MadeToken[] {
    return this.#made.get(login.toLowerCase()) ?? [];
  }

  make(login: string, { name, scopes }: { name: string; scopes: readonly string[] }): MadeToken {
    if (this.list(login).some((one) => one.name === name)) {
      throw new ForgeRefused('access token name has been used already. Choose another name.', 400);
    }
    if (scopes.length === 0) {
      throw new ForgeRefused('access token must have a scope. Name what it may do.', 400);
    }
    const made = { id: ++this.#last, name, scopes, text: randomBytes(20).toString('hex') };
    this.#made.set(login.toLowerCase(), [...this.list(login), made]);
    this.add(made.text, { login, scopes, repositories: null });
    return made;
  }

  revoke(login: string, which: string): void {
    const found = this.list(login).find(({ id, name }) => String(id) === which || name === which);
    if (found === undefined) throw new ForgeMissing(`${login} has no token ${which}. List them first.`);
    this.#tokens.delete(found.text);
    this.#made.set(
      login.toLowerCase(),
      this.list(login).filter((one) => one !== found),
    );
  }
}

/** A token cannot make tokens, also not as the password of Basic (Forgejo 16). */
export function requirePassword(token: PocketToken | null): void {
  if (token?.byPassword !== true) throw new ForgeRefused(NO_BASIC, 401);
}

function candidates(header: string): { texts: string[]; login: string | null } {
  const [scheme = '', value = ''] = header.trim().split(/\s+/, 2);
  if (['token', 'bearer'].includes(scheme.toLowerCase())) return { texts: [value], login: null };
  if (scheme.toLowerCase() !== 'basic') return { texts: [], login: null };
  const [name = '', ...password] = Buffer.from(value, 'base64').toString('utf8').split(':');
  return { texts: [password.join(':'), name], login: name };
}
