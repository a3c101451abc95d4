/**
 * HTTP to one Forgejo or Gitea with one token: addresses, renamed repositories, pages, and which error class an answer
 * becomes. The token is in one header and nowhere else, and no redirect is followed, so that it never leaves the forge.
 */
import { z } from 'zod';
import { ForgeMissing, ForgeRefused, ForgeUnavailable } from '../errors.ts';
import type { RepositoryRef } from '../vocabulary.ts';
import { describeRefusal, describeTrouble, forgeWords } from './gitea-family-refusals.ts';

export interface ForgeAccount {
  /** the configured name of the forge, for messages */
  name: string;
  /** as in a browser, with a sub path if the forge has one: `https://host/git` */
  url: string;
  token: string;
  fetch?: typeof fetch;
  /** for one whole exchange, body included; default 30 000 */
  timeoutMs?: number;
}

export interface Call {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** below `/api/v1`, with its query: `/user` */
  path: string;
  body?: unknown;
  /** a Range header, for texts that may be long */
  range?: string;
}

export interface RepositoryCall extends Call {
  repository: RepositoryRef;
  /** below `/repos/{owner}/{name}`: `/issues/12` */
  path: string;
}

export interface Answer<T> {
  value: T;
  /** X-Total-Count, or null */
  total: number | null;
}

/** An answer of success whose body is not JSON, or is of no interest. */
export interface PlainAnswer {
  status: number;
  text: string;
  headers: Headers;
}

export interface ForgeHttp {
  send<S extends z.ZodType>(call: Call, shape: S): Promise<Answer<z.output<S>>>;
  /** as `send`; where the repository has moved, finds its new name by id and repeats the call once */
  sendTo<S extends z.ZodType>(call: RepositoryCall, shape: S): Promise<Answer<z.output<S>>>;
  /** for calls that answer with a status alone, or with text; the same errors */
  tell(call: Call): Promise<PlainAnswer>;
  tellTo(call: RepositoryCall): Promise<PlainAnswer>;
  /** as `tell`, and a redirect is an answer, too: where it leads, and not what is there */
  look(call: Call): Promise<{ text: string; location: string | null }>;
}

interface Exchange {
  call: Call;
  response: Response;
  text: string;
}

const REDIRECTS = [301, 302, 303, 307, 308];
const DEFAULT_TIMEOUT_MS = 30_000;
const LARGEST_BODY = 32 << 20;
const renamed = z.object({ full_name: z.string().regex(/^[^/]+\/[^/]+$/) });

export function createForgeHttp(account: ForgeAccount): ForgeHttp {
  const base = `${account.url.replace(/\/+$/, '')}/api/v1`;

  const where = (call: Call) => `${account.name}: ${call.method} ${call.path}`;

  async function exchange(call: Call): Promise<Exchange> {
    try {
      const response = await (account.fetch ?? fetch)(`${base}${call.path}`, {
        method: call.method,
        // Following a redirect would turn a POST into a GET, and could carry the token to another host.
        redirect: 'manual',
        signal: AbortSignal.timeout(account.timeoutMs ?? DEFAULT_TIMEOUT_MS),
        headers: {
          // Forgejo 11 knows only the lower-case word.
          authorization: `token ${account.token}`,
          accept: 'application/json',
          'user-agent': 'claude-hooks',
          ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(call.range === undefined ? {} : { range: call.range }),
        },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      });
      return { call, response, text: await textOf(response, where(call)) };
    } catch (error) {
      if (error instanceof ForgeRefused) throw error;
      throw new ForgeUnavailable(describeTrouble(account, call, error));
    }
  }

  async function send<S extends z.ZodType>(call: Call, shape: S): Promise<Answer<z.output<S>>> {
    return read(account, await exchange(call), shape);
  }

  async function exchangeWith(call: RepositoryCall): Promise<Exchange> {
    const answer = await exchange(at(call, call.repository.fullName));
    if (!REDIRECTS.includes(answer.response.status)) return answer;
    const byId: Call = { method: 'GET', path: `/repositories/${encodeURIComponent(call.repository.id)}` };
    const { value } = await send(byId, renamed);
    return exchange(at(call, value.full_name));
  }

  async function sendTo<S extends z.ZodType>(call: RepositoryCall, shape: S): Promise<Answer<z.output<S>>> {
    return read(account, await exchangeWith(call), shape);
  }

  return {
    send,
    sendTo,
    tell: async (call) => plain(account, await exchange(call)),
    tellTo: async (call) => plain(account, await exchangeWith(call)),
    look: async (call) => {
      const found = await exchange(call);
      const { status, headers } = found.response;
      if (REDIRECTS.includes(status)) return { text: '', location: headers.get('location') ?? '' };
      return { text: plain(account, found).text, location: null };
    },
  };
}

/** Who may push may let CI write a log of any length, and some servers send it whole whatever they are asked for. */
async function textOf(response: Response, where: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > LARGEST_BODY) {
      throw new ForgeRefused(
        `${where} answered more than ${LARGEST_BODY >> 20} MiB. Look at it in a browser.`,
        response.status,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function plain(account: ForgeAccount, exchange: Exchange): PlainAnswer {
  if (!exchange.response.ok) throw failure(account, exchange);
  return { status: exchange.response.status, text: exchange.text, headers: exchange.response.headers };
}

function read<S extends z.ZodType>(
  account: ForgeAccount,
  { call, response, text }: Exchange,
  shape: S,
): Answer<z.output<S>> {
  if (!response.ok) throw failure(account, { call, response, text });
  const where = `${account.name}: ${call.method} ${call.path}`;
  // 204 on a GET is how these forges say "there is no such object of this kind".
  if (text === '')
    throw new ForgeMissing(`${where} answered ${response.status} and no body. Check the number.`);
  const json = parseJson(text);
  if (json === undefined) {
    throw new ForgeUnavailable(
      `${where} answered something that is not JSON. Check that the forge's url leads to the forge, not to a proxy's page.`,
      response.status,
    );
  }
  const parsed = shape.safeParse(json);
  if (!parsed.success) {
    const at = parsed.error.issues[0]?.path.join('.') || 'the body';
    throw new ForgeRefused(
      `${where} answered JSON without a usable "${at}". Check that the forge's url leads to a Forgejo or Gitea we support.`,
      response.status,
    );
  }
  const total = Number(response.headers.get('x-total-count') ?? Number.NaN);
  return { value: parsed.data, total: Number.isInteger(total) ? total : null };
}

function at({ repository: _, path, ...rest }: RepositoryCall, fullName: string): Call {
  const name = fullName.split('/').map(encodeURIComponent).join('/');
  return { ...rest, path: `/repos/${name}${path}` };
}

function failure(account: ForgeAccount, { call, response, text }: Exchange): Error {
  const { status, headers } = response;
  const words = forgeWords(parseJson(text), account.token);
  const message = describeRefusal({ account, call, status, words, location: headers.get('location') });
  if (status === 404) return new ForgeMissing(message);
  if (status >= 500 || status === 429 || status === 408 || status === 425) {
    return new ForgeUnavailable(message, status, retryAfterSeconds(headers.get('retry-after')));
  }
  return new ForgeRefused(message, status);
}

/** Seconds or an HTTP date. */
function retryAfterSeconds(value: string | null): number | null {
  if (value === null || value.trim() === '') return null;
  const seconds = /^\s*\d+\s*$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
