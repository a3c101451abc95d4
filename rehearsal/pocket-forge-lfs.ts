/**
 * Git LFS as Forgejo and Gitea have it: the batch API with the transfer "basic". Contents are checked, and kept in the
 * repository's folder as git-lfs lays them out.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Hono } from 'hono';
import { z } from 'zod';
import { findRepository, may } from './pocket-forge-access.ts';
import { folderOf, type PocketContext } from './pocket-forge-context.ts';
import { type ApiContext, type PocketApi, readBody, visitor } from './pocket-forge-requests.ts';

const JSON_TYPE = 'application/vnd.git-lfs+json';
const OID = /^[0-9a-f]{64}$/;

const named = z.object({ oid: z.string(), size: z.int().min(0) });
const batch = z.object({
  operation: z.enum(['upload', 'download']),
  objects: z.array(named).min(1),
});

/** Adds `/{owner}/{name}.git/info/lfs/objects/…`. */
export function serveLfs(app: Hono<PocketApi>, context: PocketContext): void {
  const root = '/:owner/:name/info/lfs';
  app.post(`${root}/objects/batch`, (c) => answerBatch(c, context));
  app.post(`${root}/verify`, async (c) => {
    const store = storeFor(c, context, 'read');
    if (store instanceof Response) return store;
    const object = await readBody(c, named);
    return (await sizeIn(store, object.oid)) === object.size
      ? json({}, 200)
      : json({ message: 'not here' }, 422);
  });
  app.put(`${root}/objects/:oid/:size`, async (c) => {
    const store = storeFor(c, context, 'write');
    if (store instanceof Response) return store;
    const { oid, size } = c.req.param();
    const content = Buffer.from(await c.req.arrayBuffer());
    const is = createHash('sha256').update(content).digest('hex');
    // guard: lfs: what is sent is what is named, part 2
    if (is !== oid || content.byteLength !== Number(size)) {
      return json({ message: 'Content hash does not match OID' }, 422);
    }
    const path = pathIn(store, oid);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    return new Response(null, { status: 200 });
  });
  app.get(`${root}/objects/:oid`, async (c) => {
    const store = storeFor(c, context, 'read');
    if (store instanceof Response) return store;
    const oid = c.req.param('oid');
    if ((await sizeIn(store, oid)) === null) return json({ message: 'Not Found' }, 404);
    const content = await readFile(pathIn(store, oid));
    return new Response(content, { headers: { 'Content-Type': 'application/octet-stream' } });
  });
}

async function answerBatch(c: ApiContext, context: PocketContext): Promise<Response> {
  const { operation, objects } = await readBody(c, batch);
  const store = storeFor(c, context, operation === 'upload' ? 'write' : 'read');
  if (store instanceof Response) return store;
  const { owner, name } = c.req.param();
  const base = `${context.url}/${owner}/${name}/info/lfs`;
  const header = { Authorization: c.req.header('authorization') ?? '' };
  const answers = objects.map(async ({ oid, size }) => {
    if (!OID.test(oid)) return { oid, size, error: { code: 422, message: 'Oid or size are invalid' } };
    const there = (await sizeIn(store, oid)) === size;
    const href = `${base}/objects/${oid}`;
    if (operation === 'download') {
      return there
        ? { oid, size, actions: { download: { href, header } } }
        : { oid, size, error: { code: 404, message: 'Object does not exist' } };
    }
    if (there) return { oid, size };
    const verify = { href: `${base}/verify`, header: { ...header, Accept: JSON_TYPE } };
    return { oid, size, actions: { upload: { href: `${href}/${size}`, header }, verify } };
  });
  return json({ transfer: 'basic', objects: await Promise.all(answers) }, 200);
}

/** The folder of the repository's contents, or why not. */
function storeFor(c: ApiContext, context: PocketContext, permission: 'read' | 'write'): string | Response {
  const user = visitor(c);
  const { owner, name = '' } = c.req.param();
  const repository = findRepository(context.state, `${owner}/${name.replace(/\.git$/, '')}`);
  if (may(repository, user, permission)) return join(folderOf(context, repository), 'lfs', 'objects');
  return user === null
    ? json({ message: 'Unauthorized' }, 401)
    : json({ message: 'You must have push access' }, 403);
}

function pathIn(store: string, oid: string): string {
  return join(store, oid.slice(0, 2), oid.slice(2, 4), oid);
}

async function sizeIn(store: string, oid: string): Promise<number | null> {
  if (!OID.test(oid)) return null;
  return (await stat(pathIn(store, oid)).catch(() => null))?.size ?? null;
}

function json(value: unknown, status: number): Response {
  return new Response(JSON.stringify(value), { status, headers: { 'Content-Type': JSON_TYPE } });
}
