/**
 * HTTP to one Forgejo or Gitea with one token: addresses, renamed repositories, pages, and which error class an answer
 * becomes. The token is in one header and nowhere else, and no redirect is followed, so that it never leaves the forge.
 */
import { setImmediate as othersTurn } from 'node:timers/promises';
import { z } from 'zod';
import { ForgeMissing, ForgeRefused, ForgeUnavailable } from '../../errors.ts';
import type { RepositoryRef } from '../../vocabulary.ts';
import { type AnswerBody, readBody } from '../answer-body.ts';
import type { ForgeAccount } from '../kit.ts';
import { describeRefusal, describeTrouble, forgeWords } from './refusals.ts';
import { readBytes } from './site-bytes.ts';

export interface Call {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** below `/api/v1`, with its query: `/user` */
  path: string;
  body?: unknown;
  /** instead of `body`: a form with this one file, as `attachment` */
  file?: { name: string; type: string; bytes: Uint8Array };
  /** of a text that may be long: only so many bytes of its end */
  tail?: number;
  /** of a list: bytes after which its answer is cut short */
  piece?: number;
  /** the login in whose name a site administrator asks */
  sudo?: string;
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

export interface ListAnswer<T> {
  members: T[];
  total: number | null;
  /** the list is longer than one answer may be; these are its first members */
  isCutShort: boolean;
  /** unix ms by the forge's own clock, in whole seconds; null when it sends no Date */
  at: number | null;
}

/** An answer of success whose body is not JSON, or is of no interest. */
export interface PlainAnswer {
  status: number;
  text: string;
  /** there was more before it */
  isCut: boolean;
  headers: Headers;
}

export interface ForgeHttp {
  send<S extends z.ZodType>(call: Call, shape: S): Promise<Answer<z.output<S>>>;
  /** as `send`; where the repository has moved, finds its new name by id and repeats the call once */
  sendTo<S extends z.ZodType>(call: RepositoryCall, shape: S): Promise<Answer<z.output<S>>>;
  /** as `sendTo`, for a list of any length, which is the answer or a field of it */
  listTo<S extends z.ZodType>(call: RepositoryCall, list: ListShape<S>): Promise<ListAnswer<z.output<S>>>;
  /** as `listTo`, for a list that belongs to no repository */
  list<S extends z.ZodType>(call: Call, list: ListShape<S>): Promise<ListAnswer<z.output<S>>>;
  /** for calls that answer with a status alone, or with text; the same errors */
  tell(call: Call): Promise<PlainAnswer>;
  tellTo(call: RepositoryCall): Promise<PlainAnswer>;
  /** the bytes at an address of the forge outside of its API, at most `most` of them */
  bytes(path: string, most: number): Promise<Uint8Array>;
  /** as `tell`, but a redirect is an answer: `location` says where it leads, and it is not followed */
  look(call: Call): Promise<{ text: string; location: string | null }>;
}

export interface ListShape<S extends z.ZodType> {
  member: S;
  /** the field that holds the list where the answer is an object */
  field?: string;
}

interface Exchange {
  call: Call;
  response: Response;
  body: AnswerBody;
}

const REDIRECTS = [301, 302, 303, 307, 308];
const DEFAULT_TIMEOUT_MS = 30_000;
/** Members looked at before others have their turn. */
const MEMBERS_PER_TURN = 100;
const renamed = z.object({ full_name: z.string().regex(/^[^/]+\/[^/]+$/) });

export function createForgeHttp(account: ForgeAccount): ForgeHttp {
  const base = `${account.url.replace(/\/+$/, '')}/api/v1`;

  const where = (call: Call) => `${account.name}: ${call.method} ${call.path}`;

  async function exchange(call: Call, as: 'json' | 'list' | 'text'): Promise<Exchange> {
    try {
      const response = await (account.fetch ?? fetch)(`${base}${call.path}`, {
        method: call.method,
        // Following a redirect would turn a POST into a GET, and could carry the token to another host.
        redirect: 'manual',
        signal: AbortSignal.timeout(account.timeoutMs ?? DEFAULT_TIMEOUT_MS),
        headers: {
          // Forgejo 11 knows only the lower-case word.
          ...credentialsOf(account),
          ...(call.sudo === undefined ? {} : { sudo: call.sudo }),
          accept: 'application/json',
          'user-agent': 'claude-hooks',
          ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(call.tail === undefined ? {} : { range: `bytes=-${call.tail}` }),
        },
        ...bodyOf(call),
      });
      const reading = { as: response.ok ? as : 'json', where: where(call), ...limitsOf(call) } as const;
      return { call, response, body: await readBody(response, reading) };
    } catch (error) {
      if (error instanceof ForgeRefused) throw error;
      throw new ForgeUnavailable(describeTrouble(account, call, error));
    }
  }

  async function send<S extends z.ZodType>(call: Call, shape: S): Promise<Answer<z.output<S>>> {
    return read(account, await exchange(call, 'json'), shape);
  }

  async function exchangeWith(call: RepositoryCall, as: 'json' | 'list' | 'text'): Promise<Exchange> {
    const answer = await exchange(at(call, call.repository.fullName), as);
    if (!REDIRECTS.includes(answer.response.status)) return answer;
    const byId: Call = { method: 'GET', path: `/repositories/${encodeURIComponent(call.repository.id)}` };
    const { value } = await send(byId, renamed);
    return exchange(at(call, value.full_name), as);
  }

  async function sendTo<S extends z.ZodType>(call: RepositoryCall, shape: S): Promise<Answer<z.output<S>>> {
    return read(account, await exchangeWith(call, 'json'), shape);
  }

  return {
    send,
    sendTo,
    listTo: async (call, list) => await readList(account, await exchangeWith(call, 'list'), list),
    list: async (call, list) => await readList(account, await exchange(call, 'list'), list),
    tell: async (call) => plain(account, await exchange(call, 'text')),
    tellTo: async (call) => plain(account, await exchangeWith(call, 'text')),
    bytes: async (path, most) => await readBytes(account, path, most),
    look: async (call) => {
      const found = await exchange(call, 'text');
      const { status, headers } = found.response;
      if (REDIRECTS.includes(status)) return { text: '', location: headers.get('location') ?? '' };
      return { text: plain(account, found).text, location: null };
    },
  };
}

function bodyOf({ body, file }: Call): { body?: string | FormData } {
  if (body !== undefined) return { body: JSON.stringify(body) };
  if (file === undefined) return {};
  const form = new FormData();
  form.set('attachment', new Blob([Buffer.from(file.bytes)], { type: file.type }), file.name);
  return { body: form };
}

function credentialsOf({ anonymous, basic, token }: ForgeAccount): Record<string, string> {
  if (anonymous === true) return {};
  if (basic === undefined) return { authorization: `token ${token}` };
  const pair = Buffer.from(`${basic.login}:${basic.password}`).toString('base64');
  return { authorization: `Basic ${pair}` };
}

function limitsOf({ tail, piece }: Call): { tail?: number; piece?: number } {
  return { ...(tail === undefined ? {} : { tail }), ...(piece === undefined ? {} : { piece }) };
}

function plain(account: ForgeAccount, exchange: Exchange): PlainAnswer {
  if (!exchange.response.ok) throw failure(account, exchange);
  const { response, body } = exchange;
  return { status: response.status, text: body.text, isCut: body.isCutShort, headers: response.headers };
}

function read<S extends z.ZodType>(account: ForgeAccount, exchange: Exchange, shape: S): Answer<z.output<S>> {
  const json = jsonOf(account, exchange);
  const parsed = shape.safeParse(json);
  if (!parsed.success) throw unusable(account, exchange, parsed.error.issues[0]?.path ?? []);
  return { value: parsed.data, total: totalOf(exchange) };
}

/** Member by member, because a list may be long and others wait. */
async function readList<S extends z.ZodType>(
  account: ForgeAccount,
  exchange: Exchange,
  { member, field }: ListShape<S>,
): Promise<ListAnswer<z.output<S>>> {
  const json = jsonOf(account, exchange);
  const list = json === null || field === undefined ? json : (json as Record<string, unknown>)[field];
  if (list !== null && list !== undefined && !Array.isArray(list)) throw unusable(account, exchange, []);
  const members: z.output<S>[] = [];
  for (const [index, entry] of (list ?? []).entries()) {
    const parsed = member.safeParse(entry);
    if (!parsed.success) throw unusable(account, exchange, [index, ...(parsed.error.issues[0]?.path ?? [])]);
    members.push(parsed.data);
    if (members.length % MEMBERS_PER_TURN === 0) await othersTurn();
  }
  const at = Date.parse(exchange.response.headers.get('date') ?? '');
  return {
    members,
    total: totalOf(exchange),
    isCutShort: exchange.body.isCutShort,
    at: Number.isNaN(at) ? null : at,
  };
}

function jsonOf(account: ForgeAccount, exchange: Exchange): unknown {
  const { call, response, body } = exchange;
  if (!response.ok) throw failure(account, exchange);
  const where = `${account.name}: ${call.method} ${call.path}`;
  // 204 on a GET is how these forges say "there is no such object of this kind".
  if (body.isEmpty)
    throw new ForgeMissing(`${where} answered ${response.status} and no body. Check the number.`);
  if (body.json === undefined) {
    throw new ForgeUnavailable(
      `${where} answered something that is not JSON. Check that the forge's url leads to the forge, not to a proxy's page.`,
      response.status,
    );
  }
  return body.json;
}

function unusable(account: ForgeAccount, { call, response }: Exchange, path: PropertyKey[]): ForgeRefused {
  const at = path.join('.') || 'the body';
  return new ForgeRefused(
    `${account.name}: ${call.method} ${call.path} answered JSON without a usable "${at}". Check that the forge's url leads to a Forgejo or Gitea we support.`,
    response.status,
  );
}

function totalOf({ response }: Exchange): number | null {
  const total = Number(response.headers.get('x-total-count') ?? Number.NaN);
  return Number.isInteger(total) ? total : null;
}

function at({ repository: _, path, ...rest }: RepositoryCall, fullName: string): Call {
  const name = fullName.split('/').map(encodeURIComponent).join('/');
  return { ...rest, path: `/repos/${name}${path}` };
}

function failure(account: ForgeAccount, { call, response, body }: Exchange): Error {
  const { status, headers } = response;
  const words = forgeWords(body.json, account.token);
  const message = describeRefusal({ account, call, status, words, location: headers.get('location') });
  if (status === 404) return new ForgeMissing(message);
  if (status >= 500 || status === 429 || status === 408 || status === 425) {
    return new ForgeUnavailable(
      message,
      status,
      retryAfterSeconds(headers.get('retry-after')) ?? limitResetSeconds(headers),
    );
  }
  return new ForgeRefused(message, status);
}

/** Forges have no limits of their own; proxies before them name the end of one in several ways. */
function limitResetSeconds(headers: Headers): number | null {
  const left = Number(headers.get('ratelimit-reset') ?? Number.NaN);
  if (Number.isFinite(left) && left >= 0) return Math.ceil(left);
  const end = Number(headers.get('x-ratelimit-reset') ?? Number.NaN);
  return Number.isFinite(end) ? Math.max(0, Math.ceil(end - Date.now() / 1000)) : null;
}

/** Seconds or an HTTP date. */
function retryAfterSeconds(value: string | null): number | null {
  if (value === null || value.trim() === '') return null;
  const seconds = /^\s*\d+\s*$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : null;
}
