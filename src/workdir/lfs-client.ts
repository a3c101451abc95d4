/**
 * Git LFS over HTTP, as the account: the batch API with the transfer "basic". Requests go only to the address that git
 * uses. Other hosts that the forge's answer names are not asked, and redirects are not followed, because the request
 * carries the token.
 */
import { openAsBlob } from 'node:fs';
import { z } from 'zod';
import { type FailureKind, GitCommandFailed } from './failure.ts';
import type { Pointer } from './lfs-pointer.ts';
import type { Address } from './remote.ts';

const JSON_TYPE = 'application/vnd.git-lfs+json';
const QUESTION_MS = 60_000;
const TRANSFER_MS = 10 * 60_000;
/** The most objects that one request asks for. */
const BATCH = 100;
const LARGEST_ANSWER = 4 * 1024 * 1024;

/** The forge refuses, or we may not follow what it says. The message is a sentence without its full stop. */
export class LfsRefused extends Error {
  override name = 'LfsRefused';
}

const action = z.object({ href: z.string().max(8192), header: z.record(z.string(), z.unknown()).nullish() });
const answered = z.object({
  objects: z.array(
    z.object({
      oid: z.string(),
      actions: z
        .object({ upload: action.nullish(), verify: action.nullish(), download: action.nullish() })
        .nullish(),
      error: z.object({ code: z.number().nullish(), message: z.string().nullish() }).nullish(),
    }),
  ),
});

type Action = z.output<typeof action>;

export interface Offered {
  pointer: Pointer;
  /** null = nothing has to be sent, or nothing can be fetched */
  action: Action | null;
  verify: Action | null;
  /** the forge's words for what is wrong with it */
  error: string | null;
}

/** By the content's name. */
export type Offers = Map<string, Offered>;

/** Throws LfsRefused, and GitCommandFailed where the forge cannot be reached or refuses the token. */
export async function askBatch(
  address: Address,
  operation: 'upload' | 'download',
  pointers: readonly Pointer[],
): Promise<Offers> {
  const offers: Offers = new Map();
  for (let at = 0; at < pointers.length; at += BATCH) {
    const part = pointers.slice(at, at + BATCH);
    const url = `${lfsAddress(address)}/objects/batch`;
    const objects = part.map(({ oid, size }) => ({ oid, size }));
    const body = JSON.stringify({ operation, transfers: ['basic'], objects, hash_algo: 'sha256' });
    const response = await request(address, { method: 'POST', url, body, timeoutMs: QUESTION_MS });
    const parsed = answered.safeParse(jsonOf(await textOf(response)));
    if (!parsed.success) throw new LfsRefused("the forge's answer about Git LFS cannot be read");
    const byOid = new Map(parsed.data.objects.map((object) => [object.oid, object]));
    for (const pointer of part) {
      const found = byOid.get(pointer.oid);
      const error =
        found?.error == null ? null : printable(found.error.message ?? `error ${found.error.code}`);
      const is = operation === 'upload' ? found?.actions?.upload : found?.actions?.download;
      offers.set(pointer.oid, { pointer, action: is ?? null, verify: found?.actions?.verify ?? null, error });
    }
  }
  return offers;
}

export async function upload(address: Address, offered: Offered, file: string): Promise<void> {
  const { pointer, action: to, verify } = offered;
  if (to === null) return;
  const body = await openAsBlob(file);
  const url = onTheForge(address, to.href);
  const header = { 'content-type': 'application/octet-stream', ...headersOf(to) };
  const put = { method: 'PUT', url, body, header, timeoutMs: TRANSFER_MS };
  await (await request(address, put)).body?.cancel();
  if (verify === null) return;
  const question = {
    method: 'POST',
    url: onTheForge(address, verify.href),
    body: JSON.stringify(pointer),
    header: headersOf(verify),
    timeoutMs: QUESTION_MS,
  };
  await (await request(address, question)).body?.cancel();
}

/** The content, unchecked. */
export async function* download(address: Address, to: Action): AsyncGenerator<Uint8Array> {
  const get = {
    method: 'GET',
    url: onTheForge(address, to.href),
    header: headersOf(to),
    timeoutMs: TRANSFER_MS,
  };
  const response = await request(address, { ...get, header: { accept: '*/*', ...get.header } });
  try {
    for await (const chunk of response.body ?? []) yield chunk;
  } catch (error) {
    throw failed(get.url, 'unreachable', wordsOf(error));
  }
}

function lfsAddress(address: Address): string {
  if (!/^https?:/.test(address.url)) throw new LfsRefused('Git LFS is spoken over http and https only');
  return `${address.url.replace(/\/+$/, '').replace(/(\.git)?$/, '.git')}/info/lfs`;
}

/**
 * Where an action leads, if that is on the forge. A forge writes the address that people use; git may have been told
 * another one, so what stands below the same repository there is asked for below the address that git uses.
 */
function onTheForge(address: Address, href: string): string {
  const own = lfsAddress(address);
  const url = URL.canParse(href, own) ? new URL(href, own) : null;
  if (url !== null && url.username === '' && url.password === '') {
    // guard: lfs: no other host
    if (url.origin === new URL(own).origin) return url.href;
    const below = `/${own.split('/').slice(-4).join('/')}/`;
    const at = url.pathname.toLowerCase().indexOf(below.toLowerCase());
    if (at >= 0) return `${own}/${url.pathname.slice(at + below.length)}${url.search}`;
  }
  const host = url === null ? 'an address that cannot be read' : url.host;
  throw new LfsRefused(
    `the forge names ${printable(host)} for the content, but contents are exchanged only with the forge itself`,
  );
}

interface Request {
  method: string;
  url: string;
  body?: string | Blob;
  header?: Record<string, string>;
  timeoutMs: number;
}

async function request(
  address: Address,
  { method, url, body, header, timeoutMs }: Request,
): Promise<Response> {
  const headers = {
    accept: JSON_TYPE,
    ...(typeof body === 'string' ? { 'content-type': JSON_TYPE } : {}),
    ...(address.authorization === null ? {} : { authorization: address.authorization }),
    ...header,
  };
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await address
    .fetch(url, {
      method,
      headers,
      signal,
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
    })
    .catch((error: unknown) => {
      throw failed(url, 'unreachable', wordsOf(error));
    });
  if (response.ok) return response;
  const { status } = response;
  const said = printable(await textOf(response).catch(() => ''));
  const words = `the forge answers ${status}${said === '' ? '' : ` (${said.slice(0, 300)})`}`;
  if (status === 401 || status === 403) throw failed(url, 'denied', words);
  if (status >= 500 && status !== 501 && status !== 507) throw failed(url, 'unreachable', words);
  if (status === 408 || status === 429) throw failed(url, 'unreachable', words);
  throw new LfsRefused(words);
}

/** Only these headers of an action are used; all others are about the connection, and we set those. */
function headersOf({ header }: Action): Record<string, string> {
  const taken: Record<string, string> = {};
  for (const [name, value] of Object.entries(header ?? {})) {
    const key = name.toLowerCase();
    if (typeof value !== 'string' || /[^\t\u0020-\u007e]/.test(value)) continue;
    if (['authorization', 'accept', 'content-type'].includes(key)) taken[key] = value;
  }
  return taken;
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > LARGEST_ANSWER) throw new LfsRefused("the forge's answer about Git LFS is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function failed(url: string, kind: FailureKind, stderr: string): GitCommandFailed {
  const { origin, pathname } = new URL(url);
  return new GitCommandFailed(`Git LFS ${origin}${pathname}`, kind, { exitCode: null, stderr });
}

function wordsOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

function printable(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
    .trim()
    .slice(0, 500);
}
