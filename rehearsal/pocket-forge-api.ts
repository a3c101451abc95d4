/** The REST edge: who asks, what errors look like, and the routes that belong to no repository. */
import { Hono, type MiddlewareHandler } from 'hono';
import { ForgeMissing, ForgeRefused } from '../src/errors.ts';
import { findUser, repositoryById, requirePermission } from './pocket-forge-access.ts';
import { addAdminRoutes } from './pocket-forge-api-admin.ts';
import { addIssueRoutes } from './pocket-forge-api-issues.ts';
import { addOwnRoutes } from './pocket-forge-api-own.ts';
import { addPullRoutes } from './pocket-forge-api-pulls.ts';
import { addRepositoryRoutes } from './pocket-forge-api-repositories.ts';
import { addAttachmentRoutes, serveAttachments } from './pocket-forge-attachments.ts';
import { emailOf, type PocketContext } from './pocket-forge-context.ts';
import type { Credentials } from './pocket-forge-credentials.ts';
import { addDependencyRoutes } from './pocket-forge-dependencies.ts';
import { HABITS } from './pocket-forge-kinds.ts';
import { nameNow } from './pocket-forge-renames.ts';
import {
  DEFAULT_LIMIT,
  MAX_LIMIT,
  type PocketApi,
  routeRepository,
  signedIn,
  visitor,
} from './pocket-forge-requests.ts';
import { requireScope } from './pocket-forge-scopes.ts';
import { addSearchRoute } from './pocket-forge-search.ts';
import { ownUserShape, repositoryShape, userShape } from './pocket-forge-shapes.ts';
import type { StoredUser } from './pocket-forge-state.ts';
import { addTimelineRoute } from './pocket-forge-timeline.ts';

export function createApi(context: PocketContext, credentials: Credentials): Hono<PocketApi> {
  const app = new Hono<PocketApi>();
  app.onError((error) => errorResponse(context, error));
  app.notFound((c) =>
    problem(context, 404, `No route ${c.req.path}. See docs/pocket-forge.md for what is spoken.`),
  );
  app.use(async (c, next) => {
    const token = credentials.authenticate(c.req.header('authorization'));
    c.set('token', token);
    const asking = token === null ? null : findUser(context.state, token.login);
    const sudo = c.req.header('sudo');
    c.set('visitor', sudo === undefined || asking === null ? asking : standIn(context, asking, sudo));
    await next();
    // The clock that stamps what is done here, and not that of the HTTP server.
    c.header('Date', new Date().toUTCString());
  });
  const api = new Hono<PocketApi>();
  api.use(async (c, next) => {
    requireScope(c.get('token'), c.req.method, c.req.path.slice('/api/v1'.length));
    await next();
  });
  // Before the routes of a repository, of which `issues/search` could be one.
  addSearchRoute(api, context);
  api.use('/repos/:owner/:name/*', renamed(context));
  api.use('/repos/:owner/:name', renamed(context));
  addGeneralRoutes(api, context);
  addRepositoryRoutes(api, context);
  addIssueRoutes(api, context);
  addAttachmentRoutes(api, context);
  addPullRoutes(api, context);
  addDependencyRoutes(api, context);
  addTimelineRoute(api, context);
  addOwnRoutes(api, context);
  addAdminRoutes(api, context, credentials);
  app.route('/api/v1', api);
  serveAttachments(app, context);
  if (context.kind === 'forgejo') {
    app.get('/api/forgejo/v1/version', (c) => c.json({ version: HABITS.forgejo.version }));
  }
  return app;
}

/** An old name leads to the new one, until another repository takes it; as on the forge, by a relative address. */
function renamed(context: PocketContext): MiddlewareHandler<PocketApi> {
  return async (c, next) => {
    const name = `${c.req.param('owner')}/${c.req.param('name')}`;
    const target = nameNow(context.state, name);
    if (target === null) return await next();
    const { pathname, search } = new URL(c.req.url);
    return c.redirect(`${pathname.replace(`/repos/${name}`, `/repos/${target}`)}${search}`, 301);
  };
}

function addGeneralRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  api.get('/version', (c) => c.json({ version: HABITS[context.kind].version }));
  api.get('/settings/api', (c) =>
    c.json({ max_response_items: MAX_LIMIT, default_paging_num: DEFAULT_LIMIT }),
  );
  api.get('/user', (c) => c.json(ownUserShape(context, signedIn(c))));
  api.get('/users/:login', (c) => {
    const user = findUser(context.state, c.req.param('login'));
    const asking = visitor(c);
    const seesAll = asking !== null && (asking.admin || asking.id === user.id);
    return c.json({ ...userShape(context, user), ...(seesAll ? { email: emailOf(user) } : {}) });
  });
  api.get('/orgs/:name', (c) => {
    throw new ForgeMissing(
      `There is no organization ${c.req.param('name')} here. The pocket forge has none.`,
    );
  });
  api.get('/repos/:owner/:name/teams', (c) => {
    routeRepository(c, context);
    throw new ForgeRefused('The repository is not owned by an organization. Ask for collaborators.', 405);
  });
  api.get('/repositories/:id{[0-9]+}', (c) => {
    const repository = repositoryById(context.state, Number(c.req.param('id')));
    requirePermission(repository, visitor(c), 'read');
    return c.json(repositoryShape(context, repository, visitor(c) ?? 'omitted'));
  });
}

/** `Sudo: <login>`: a site administrator asks as another account. */
function standIn(context: PocketContext, asking: StoredUser, login: string): StoredUser {
  if (!asking.admin)
    throw new ForgeRefused('Only administrators allowed to sudo. Leave the header out.', 403);
  return findUser(context.state, login);
}

function problem(context: PocketContext, status: number, message: string): Response {
  const headers: Record<string, string> =
    status === 401 ? { 'WWW-Authenticate': 'Basic realm="Pocket Forge"' } : {};
  return Response.json({ message, url: `${context.url}/api/swagger` }, { status, headers });
}

function errorResponse(context: PocketContext, error: Error): Response {
  if (error instanceof ForgeRefused) return problem(context, error.status, error.message);
  if (error instanceof ForgeMissing) return problem(context, 404, error.message);
  return problem(context, 500, `${error.message} This is a fault of the pocket forge: please report it.`);
}
