/** The hooks of a repository and of its owner, and the delivery that is sent to try one. */
import { z } from 'zod';
import { sameLogin } from '../../logins.ts';
import type { RepositoryRef } from '../../vocabulary.ts';
import type { ForgeHook, ForgeHooks } from '../forge.ts';
import { offeredOr } from '../not-offered.ts';
import type { ForgeHttp } from './http.ts';
import { listAll } from './pages.ts';
import { user as userShape } from './payloads.ts';

export const hookAnswer = z.object({
  id: z.number().int(),
  active: z.boolean().nullish(),
  events: z.array(z.string()).nullish(),
  config: z.record(z.string(), z.unknown()).nullish(),
});

export function createHooks(http: ForgeHttp): ForgeHooks {
  return {
    async listHooks(repository) {
      const hooks = await listAll(http, { repository, path: '/hooks', member: hookAnswer });
      return hooks.map(toHook);
    },
    listOwnerHooks: (repository) => listOwnerHooks(http, repository),
    // It is a push that changes nothing.
    async sendTestDelivery(repository, hookId) {
      await http.tellTo({ method: 'POST', repository, path: `/hooks/${hookId}/tests` });
    },
  };
}

export function toHook(hook: z.output<typeof hookAnswer>): ForgeHook {
  return {
    id: hook.id,
    url: String(hook.config?.url ?? ''),
    active: hook.active === true,
    events: hook.events ?? [],
    contentType: String(hook.config?.content_type ?? ''),
  };
}

/** An organization shows its hooks to its owners, and a person theirs to themselves. */
async function listOwnerHooks(
  http: ForgeHttp,
  { fullName }: RepositoryRef,
): ReturnType<ForgeHooks['listOwnerHooks']> {
  const owner = fullName.split('/')[0]!;
  const hooksAt = async (path: string): Promise<ForgeHook[]> =>
    (await http.send({ method: 'GET', path }, z.array(hookAnswer).nullish())).value?.map(toHook) ?? [];
  const ofOrganization = await offeredOr(null, () => hooksAt(`/orgs/${encodeURIComponent(owner)}/hooks`));
  if (ofOrganization !== null) return { kind: 'hooks', hooks: ofOrganization };
  const self = await offeredOr(
    null,
    async () => (await http.send({ method: 'GET', path: '/user' }, userShape)).value,
  );
  if (self !== null && sameLogin(self.login, owner)) {
    const own = await offeredOr(null, () => hooksAt('/user/hooks'));
    if (own !== null) return { kind: 'hooks', hooks: own };
  }
  return { kind: 'not-offered', why: `This forge does not show this account the hooks of ${owner}.` };
}
