/** REST: what an account may reach, as `/user/repos` lists it. */
import type { Hono } from 'hono';
import type { PocketContext } from './pocket-forge-context.ts';
import { type PocketApi, page, signedIn } from './pocket-forge-requests.ts';
import { repositoryShape } from './pocket-forge-shapes.ts';

export function addOwnRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  // Its own, and those it collaborates on; not all that a site administrator may read.
  api.get('/user/repos', (c) => {
    const user = signedIn(c);
    const own = context.state.repositories.filter(
      (r) => r.owner === user.id || r.collaborators.some((k) => k.user === user.id),
    );
    return c.json(page(c, context, own).map((r) => repositoryShape(context, r, user)));
  });
}
