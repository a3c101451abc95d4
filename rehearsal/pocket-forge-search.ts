/** GET /repos/issues/search: issues and pull requests of every repository that the visitor sees, in one list. */
import type { Hono } from 'hono';
import { ForgeRefused } from '../src/errors.ts';
import { isPull, may, repositoryById, userById } from './pocket-forge-access.ts';
import { sortItems } from './pocket-forge-api-issues.ts';
import type { PocketContext } from './pocket-forge-context.ts';
import { askedReviewers } from './pocket-forge-pull-shapes.ts';
import { type ApiContext, type PocketApi, page, visitor, withinTimes } from './pocket-forge-requests.ts';
import { issueShape } from './pocket-forge-shapes.ts';
import type { StoredItem } from './pocket-forge-state.ts';

export function addSearchRoute(api: Hono<PocketApi>, context: PocketContext): void {
  api.get('/repos/issues/search', (c) => {
    const rows = page(c, context, sortItems(undefined, withinTimes(c, searched(c, context))));
    return c.json(
      rows.map((item) => issueShape(context, repositoryById(context.state, item.repository), item)),
    );
  });
}

function searched(c: ApiContext, context: PocketContext): StoredItem[] {
  const { state = 'open', type = '', owner = '' } = c.req.query();
  if (owner !== '' && !context.state.users.some((one) => one.login.toLowerCase() === owner.toLowerCase())) {
    throw new ForgeRefused(`Nobody here is called ${owner}.`, 400);
  }
  const user = visitor(c);
  const named = c.get('token')?.repositories ?? null;
  const flag = (name: string) => c.req.query(name) === 'true';
  return context.state.items.filter((item) => {
    const repository = repositoryById(context.state, item.repository);
    const owned = userById(context.state, repository.owner).login;
    const name = `${owned}/${repository.name}`.toLowerCase();
    if (!may(repository, user, 'read')) return false;
    // A token for named repositories finds nothing in others.
    if (named !== null && !named.some((one) => one.toLowerCase() === name)) return false;
    if (owner !== '' && owned.toLowerCase() !== owner.toLowerCase()) return false;
    if (state !== 'all' && item.state !== state) return false;
    if (type !== '' && (type === 'pulls') !== isPull(item)) return false;
    if (flag('assigned') && (user === null || !item.assignees.includes(user.id))) return false;
    const isAsked = () => isPull(item) && askedReviewers(context, item).some(({ id }) => id === user?.id);
    return !flag('review_requested') || isAsked();
  });
}
