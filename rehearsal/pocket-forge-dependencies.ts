/** What an item waits for: `issues/{n}/dependencies` lists it, `issues/{n}/blocks` lists what waits for the item. */
import type { Hono } from 'hono';
import { z } from 'zod';
import { ForgeRefused } from '../src/errors.ts';
import {
  findItem,
  findRepository,
  itemById,
  repositoryById,
  requirePermission,
} from './pocket-forge-access.ts';
import type { PocketContext } from './pocket-forge-context.ts';
import {
  type ApiContext,
  type PocketApi,
  page,
  readBody,
  routeNumber,
  routeRepository,
  signedIn,
} from './pocket-forge-requests.ts';
import { issueShape } from './pocket-forge-shapes.ts';
import type { PocketState, StoredItem } from './pocket-forge-state.ts';

const itemMeta = z.object({ owner: z.string(), repo: z.string(), index: z.int() });

const ISSUE = '/repos/:owner/:name/issues/:number{[0-9]+}';

export function addDependencyRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  const { state } = context;
  const routeItem = (c: ApiContext) => findItem(state, routeRepository(c, context), routeNumber(c));
  const shown = (c: ApiContext, items: readonly StoredItem[]) =>
    c.json(
      page(c, context, items).map((item) =>
        issueShape(context, repositoryById(state, item.repository), item),
      ),
    );
  api.get(`${ISSUE}/dependencies`, (c) => shown(c, dependenciesOf(state, routeItem(c))));
  api.get(`${ISSUE}/blocks`, (c) => {
    const { id } = routeItem(c);
    return shown(
      c,
      state.items.filter((item) => item.dependencies?.includes(id)),
    );
  });
  const change = async (c: ApiContext, how: 'add' | 'remove') => {
    const item = routeItem(c);
    requirePermission(repositoryById(state, item.repository), signedIn(c), 'write');
    const { owner, repo, index } = await readBody(c, itemMeta);
    const other = findItem(state, findRepository(state, `${owner}/${repo}`), index);
    await context.change(() => {
      const others = (item.dependencies ?? []).filter((id) => id !== other.id);
      item.dependencies = how === 'add' ? [...others, other.id] : others;
    });
    return c.json(
      issueShape(context, repositoryById(state, other.repository), other),
      how === 'add' ? 201 : 200,
    );
  };
  api.post(`${ISSUE}/dependencies`, (c) => change(c, 'add'));
  api.delete(`${ISSUE}/dependencies`, (c) => change(c, 'remove'));
}

/** Throws ForgeRefused 412, as the forge does when an item is to be closed that waits for an open one. */
export function requireNoOpenDependency(state: PocketState, item: StoredItem): void {
  if (dependenciesOf(state, item).every((one) => one.state === 'closed')) return;
  throw new ForgeRefused(
    'cannot close this issue or pull request because it still has open dependencies. Close those first.',
    412,
  );
}

function dependenciesOf(state: PocketState, { dependencies = [] }: StoredItem): StoredItem[] {
  return dependencies.map((id) => itemById(state, id));
}
