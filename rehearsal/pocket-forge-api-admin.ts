/** REST: what a site administrator does (accounts, hooks of the whole forge), and what an account does with its tokens. */
import type { Hono } from 'hono';
import { z } from 'zod';
import { ForgeMissing, ForgeRefused } from '../src/errors.ts';
import { findUser } from './pocket-forge-access.ts';
import { emailOf, type PocketContext } from './pocket-forge-context.ts';
import { type Credentials, type MadeToken, requirePassword } from './pocket-forge-credentials.ts';
import { hookBody, newHookOf, storedHook } from './pocket-forge-hook-admin.ts';
import {
  type ApiContext,
  type PocketApi,
  page,
  readBody,
  routeNumber,
  signedIn,
} from './pocket-forge-requests.ts';
import { hookShape, userShape } from './pocket-forge-shapes.ts';
import { nextId, now, type StoredHook, type StoredUser } from './pocket-forge-state.ts';

const newUserBody = z.object({
  username: z.string('is required').regex(/^[\w-][\w.-]*$/),
  email: z.email(),
  password: z.string().min(8),
  full_name: z.string().default(''),
  must_change_password: z.boolean().default(true),
});
// `source_id` and `login_name` are required, as on the forge.
const userEditBody = z.object({
  source_id: z.int(),
  login_name: z.string(),
  password: z.string().min(8).optional(),
  must_change_password: z.boolean().default(true),
});
const tokenBody = z.object({ name: z.string().min(1), scopes: z.array(z.string()).default([]) });

export function addAdminRoutes(api: Hono<PocketApi>, context: PocketContext, credentials: Credentials): void {
  addUserRoutes(api, context, credentials);
  addTokenRoutes(api, context, credentials);
  addHooks(api, context, {
    path: '/admin/hooks',
    of: (c) => {
      requireAdmin(c);
      context.state.systemHooks ??= [];
      return context.state.systemHooks;
    },
  });
  addHooks(api, context, {
    path: '/user/hooks',
    of: (c) => {
      const { id } = signedIn(c);
      context.state.ownerHooks ??= {};
      context.state.ownerHooks[id] ??= [];
      return context.state.ownerHooks[id];
    },
  });
}

function requireAdmin(c: ApiContext): void {
  if (!signedIn(c).admin) throw new ForgeRefused('user should be the site admin. Ask one.', 403);
}

function shownTo(context: PocketContext, user: StoredUser) {
  // An administrator sees the address itself; everybody else a placeholder.
  return { ...userShape(context, user), email: emailOf(user), active: true, is_admin: user.admin };
}

function addUserRoutes(api: Hono<PocketApi>, context: PocketContext, credentials: Credentials): void {
  const { state } = context;
  api.get('/admin/users', (c) => {
    requireAdmin(c);
    return c.json(page(c, context, state.users).map((user) => shownTo(context, user)));
  });
  api.post('/admin/users', async (c) => {
    requireAdmin(c);
    const body = await readBody(c, newUserBody);
    const user = await context.change(() => {
      if (state.users.some((u) => u.login.toLowerCase() === body.username.toLowerCase())) {
        throw new ForgeRefused(`user already exists [name: ${body.username}]. Choose another.`, 422);
      }
      if (state.users.some((u) => emailOf(u).toLowerCase() === body.email.toLowerCase())) {
        throw new ForgeRefused(`e-mail already in use [email: ${body.email}]. Choose another.`, 422);
      }
      const made: StoredUser = {
        id: nextId(state, 'user'),
        login: body.username,
        fullName: body.full_name,
        admin: false,
        created: now(),
        email: body.email,
      };
      state.users.push(made);
      return made;
    });
    if (!body.must_change_password) credentials.setPassword(user.login, body.password);
    return c.json(shownTo(context, user), 201);
  });
  api.patch('/admin/users/:login', async (c) => {
    requireAdmin(c);
    const user = findUser(state, c.req.param('login'));
    const { password, must_change_password: mustChange } = await readBody(c, userEditBody);
    if (password !== undefined && !mustChange) credentials.setPassword(user.login, password);
    return c.json(shownTo(context, user));
  });
  api.delete('/admin/users/:login', async (c) => {
    requireAdmin(c);
    const user = findUser(state, c.req.param('login'));
    if (state.repositories.some((r) => r.owner === user.id)) {
      throw new ForgeRefused('user still has ownership of repositories. Move them first.', 422);
    }
    await context.change(() => {
      user.deleted = true;
      for (const repository of state.repositories) {
        repository.collaborators = repository.collaborators.filter((k) => k.user !== user.id);
      }
    });
    credentials.forget(user.login);
    return c.body(null, 204);
  });
}

function addTokenRoutes(api: Hono<PocketApi>, context: PocketContext, credentials: Credentials): void {
  const PATH = '/users/:login/tokens';
  const owner = (c: ApiContext): StoredUser => {
    requirePassword(c.get('token'));
    const user = findUser(context.state, c.req.param('login') ?? '');
    const asking = signedIn(c);
    if (asking.id === user.id || asking.admin) return user;
    throw new ForgeRefused('doer should be the site admin or be same as the contextUser. Ask one.', 403);
  };
  const shape = ({ id, name, scopes, text }: MadeToken) => ({
    id,
    name,
    scopes,
    token_last_eight: text.slice(-8),
    sha1: '',
  });
  api.get(PATH, (c) => c.json(page(c, context, credentials.list(owner(c).login)).map(shape)));
  api.post(PATH, async (c) => {
    const { login } = owner(c);
    const made = credentials.make(login, await readBody(c, tokenBody));
    return c.json({ ...shape(made), sha1: made.text }, 201);
  });
  api.delete(`${PATH}/:token`, (c) => {
    credentials.revoke(owner(c).login, c.req.param('token'));
    return c.body(null, 204);
  });
}

/** Hooks that belong to no single repository. */
function addHooks(
  api: Hono<PocketApi>,
  context: PocketContext,
  at: { path: string; of: (c: ApiContext) => StoredHook[] },
): void {
  const { path, of } = at;
  api.get(path, (c) => c.json(page(c, context, of(c)).map(hookShape)));
  api.post(path, async (c) => {
    const hooks = of(c);
    const input = newHookOf(await readBody(c, hookBody));
    const hook = await context.change(() => {
      const made = storedHook(context, input);
      hooks.push(made);
      return made;
    });
    return c.json(hookShape(hook), 201);
  });
  api.delete(`${path}/:id{[0-9]+}`, async (c) => {
    const hooks = of(c);
    const index = hooks.findIndex(({ id }) => id === routeNumber(c, 'id'));
    if (index === -1) throw new ForgeMissing(`No hook ${routeNumber(c, 'id')} here. List them first.`);
    await context.change(() => hooks.splice(index, 1));
    return c.body(null, 204);
  });
}
