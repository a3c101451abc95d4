/** What every route needs of a request: its visitor, its repository, its body, its page. */
import type { Context } from 'hono';
import type { z } from 'zod';
import { ForgeRefused } from '../src/errors.ts';
import { findRepository, requirePermission } from './pocket-forge-access.ts';
import type { PocketContext } from './pocket-forge-context.ts';
import type { PocketToken } from './pocket-forge-scopes.ts';
import type { StoredRepository, StoredUser } from './pocket-forge-state.ts';

export interface PocketApi {
  Variables: { visitor: StoredUser | null; token: PocketToken | null };
}
export type ApiContext = Context<PocketApi>;

export function visitor(c: ApiContext): StoredUser | null {
  return c.get('visitor');
}

export function signedIn(c: ApiContext): StoredUser {
  const user = visitor(c);
  if (user === null)
    throw new ForgeRefused('This needs an account. Send a token in the Authorization header.', 401);
  return user;
}

/** The repository of the route, readable by the visitor. */
export function routeRepository(c: ApiContext, context: PocketContext): StoredRepository {
  const repository = findRepository(context.state, `${c.req.param('owner')}/${c.req.param('name')}`);
  requirePermission(repository, visitor(c), 'read');
  return repository;
}

export function routeNumber(c: ApiContext, name = 'number'): number {
  return Number(c.req.param(name));
}

/** The parsed JSON body. Throws ForgeRefused 422 with the first thing that is wrong. */
export async function readBody<T>(c: ApiContext, schema: z.ZodType<T>): Promise<T> {
  let json: unknown;
  try {
    const text = await c.req.text();
    json = text === '' ? {} : JSON.parse(text);
  } catch {
    throw new ForgeRefused('The body is not JSON. Send application/json.', 422);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ForgeRefused(
    `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}. Correct the body.`,
    422,
  );
}

export const DEFAULT_LIMIT = 30;
export const MAX_LIMIT = 50;

/** One page as the forge cuts it: `limit` above the maximum is lowered in silence. */
export function page<T>(c: ApiContext, context: PocketContext, rows: readonly T[]): T[] {
  const whole = (name: string, fallback: number) => {
    const value = Number(c.req.query(name) ?? fallback);
    return Number.isInteger(value) && value > 0 ? value : fallback;
  };
  const limit = Math.min(whole('limit', DEFAULT_LIMIT), MAX_LIMIT);
  const number = whole('page', 1);
  const last = Math.max(1, Math.ceil(rows.length / limit));
  c.header('X-Total-Count', String(rows.length));
  c.header('Access-Control-Expose-Headers', 'X-Total-Count, Link');
  const links = pageLinks(c, context, { number, last });
  if (links !== '') c.header('Link', links);
  return rows.slice((number - 1) * limit, number * limit);
}

function pageLinks(c: ApiContext, context: PocketContext, at: { number: number; last: number }): string {
  const link = (rel: string, to: number) => {
    const url = new URL(`${context.url}${c.req.path}`);
    url.search = new URL(c.req.url).search;
    url.searchParams.set('page', String(to));
    return `<${url.href}>; rel="${rel}"`;
  };
  const forward = at.number < at.last ? [link('next', at.number + 1), link('last', at.last)] : [];
  const back = at.number > 1 ? [link('first', 1), link('prev', at.number - 1)] : [];
  return [...forward, ...back].join(',');
}

/** Keeps rows updated at or after `since` and at or before `before`, where the query gives them. */
export function withinTimes<T extends { updated: string }>(c: ApiContext, rows: readonly T[]): T[] {
  const since = queryTime(c, 'since');
  const before = queryTime(c, 'before');
  return rows.filter((row) => {
    const at = Date.parse(row.updated);
    return (since === null || at >= since) && (before === null || at <= before);
  });
}

function queryTime(c: ApiContext, name: string): number | null {
  const text = c.req.query(name);
  if (text === undefined || text === '') return null;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new ForgeRefused(`${name}=${text} is no time. Use RFC 3339.`, 422);
  // Stored times are whole seconds; a finer `since` must not skip the second it falls in.
  return Math.floor(time / 1000) * 1000;
}
