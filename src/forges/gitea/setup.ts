/** Accounts, tokens, members and labels as an administrator makes them; hooks are in `setup-hooks.ts`. */
import { z } from 'zod';
import { ForgeMissing, ForgeRefused } from '../../errors.ts';
import { PERMISSIONS } from '../../vocabulary.ts';
import type { ForgeAccount } from '../kit.ts';
import type { ForgeSetup, SetupAccounts, SetupNeed, SetupRepositories } from '../setup.ts';
import { createForgeHttp, type ForgeHttp } from './http.ts';
import { createIdentity } from './identity.ts';
import { type FamilyMember, isMember } from './member.ts';
import { listAll } from './pages.ts';
import { repository as repositoryShape } from './payloads.ts';
import { createSetupHooks, hooksPath } from './setup-hooks.ts';
import { createSurvey } from './survey.ts';

/** What an agent's token may do, and no more. */
const LEAST_SCOPES = ['write:issue', 'write:repository', 'read:user'];

/** Older ones lack what the service reads: times of comments in lists, pull requests in deliveries of comments. */
const OLDEST: Readonly<Record<FamilyMember, string>> = { forgejo: '11.0', gitea: '1.23' };

const ownAnswer = z.object({ login: z.string(), is_admin: z.boolean().nullish() });
const accountAnswer = z.object({ login: z.string(), email: z.string().nullish() });
const tokenAnswer = z.object({ sha1: z.string().min(1) });
const labelAnswer = z.object({ id: z.number().int(), name: z.string() });
const permissionAnswer = z.object({ permission: z.enum(PERMISSIONS) });
const foundAnswer = repositoryShape.extend({
  permissions: z.object({ admin: z.boolean() }).nullish(),
});

export function createGiteaFamilySetup(member: FamilyMember, account: ForgeAccount): ForgeSetup {
  const http = createForgeHttp(account);
  return {
    ...createAccounts(account, http),
    ...createRepositories(http),
    ...createSetupHooks(member, http),
    async administrator() {
      const { value } = await http.send({ method: 'GET', path: '/user' }, ownAnswer);
      return { login: value.login, isSiteAdmin: value.is_admin === true };
    },
    async version() {
      const { version, kind } = await createIdentity(account, http).version();
      const oldest = isMember(kind) ? OLDEST[kind] : null;
      return { version, kind, tooOld: oldest !== null && isOlder(version, oldest) ? oldest : null };
    },
    lackingScopes: (needs) => lackingScopes(http, needs),
  };
}

/** By major and minor; a version that is no number is a build from source, which is new. */
function isOlder(version: string, oldest: string): boolean {
  const [major, minor] = version.split(/[.+-]/).map(Number);
  const [leastMajor = 0, leastMinor = 0] = oldest.split('.').map(Number);
  if (major === undefined || minor === undefined || Number.isNaN(major) || Number.isNaN(minor)) return false;
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
}

function createAccounts(account: ForgeAccount, http: ForgeHttp): SetupAccounts {
  return {
    async findAccount(login) {
      const path = `/users/${encodeURIComponent(login)}`;
      return await missingIsNull(async () => {
        const { value } = await http.send({ method: 'GET', path }, accountAnswer);
        return { login: value.login, mail: value.email ?? '' };
      });
    },
    async createAccount({ login, mail, fullName, password }) {
      const body = {
        username: login,
        email: mail,
        full_name: fullName,
        password,
        must_change_password: false,
        send_notify: false,
      };
      try {
        await http.tell({ method: 'POST', path: '/admin/users', body });
        return { kind: 'made' };
      } catch (error) {
        if (error instanceof ForgeRefused && error.status === 422) {
          return { kind: 'refused', words: error.message };
        }
        throw error;
      }
    },
    async setPassword(login, password) {
      const body = { source_id: 0, login_name: login, password, must_change_password: false };
      await http.tell({ method: 'PATCH', path: `/admin/users/${encodeURIComponent(login)}`, body });
    },
    async deleteAccount(login) {
      const path = `/admin/users/${encodeURIComponent(login)}`;
      await missingIsNull(() => http.tell({ method: 'DELETE', path }));
    },
    async createToken({ login, password, name }) {
      const own = createForgeHttp({ ...account, token: '', basic: { login, password } });
      const path = `/users/${encodeURIComponent(login)}/tokens`;
      const call = { method: 'POST', path, body: { name, scopes: LEAST_SCOPES } } as const;
      return (await own.send(call, tokenAnswer)).value.sha1;
    },
  };
}

function createRepositories(http: ForgeHttp): SetupRepositories {
  const survey = createSurvey(http);
  const member = (login: string) => `/collaborators/${encodeURIComponent(login)}`;
  return {
    async findRepository(fullName) {
      const { repository } = await survey.findRepository(fullName);
      const { value } = await http.sendTo({ method: 'GET', repository, path: '' }, foundAnswer);
      return { repository, mayAdminister: value.permissions?.admin === true };
    },
    listRepositories: (owner) => survey.listRepositories(owner),
    async permissionOf(repository, login) {
      const path = `${member(login)}/permission`;
      const answer = await missingIsNull(() =>
        http.sendTo({ method: 'GET', repository, path }, permissionAnswer),
      );
      return answer?.value.permission ?? 'none';
    },
    async addMember(repository, login) {
      const body = { permission: 'write' };
      await http.tellTo({ method: 'PUT', repository, path: member(login), body });
    },
    async removeMember(repository, login) {
      await missingIsNull(() => http.tellTo({ method: 'DELETE', repository, path: member(login) }));
    },
    listLabels: (repository) => listAll(http, { repository, path: '/labels', member: labelAnswer }),
    async createLabel(repository, { name, description, colour }) {
      const body = { name, description, color: `#${colour}` };
      const call = { method: 'POST', repository, path: '/labels', body } as const;
      return { id: (await http.sendTo(call, labelAnswer)).value.id };
    },
    async deleteLabel(repository, id) {
      await missingIsNull(() => http.tellTo({ method: 'DELETE', repository, path: `/labels/${id}` }));
    },
  };
}

async function missingIsNull<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ForgeMissing) return null;
    throw error;
  }
}

/**
 * The scope of a route is looked at before the body is, so a write without content is refused with 403 where the scope
 * is missing, and with 422 where it is not. (To add a member takes no content, so a login that cannot exist is named.)
 */
async function lackingScopes(http: ForgeHttp, needs: readonly SetupNeed[]): Promise<string[]> {
  const lacking = new Set<string>();
  for (const need of needs) {
    const scope = scopeOf(need);
    if (lacking.has(scope)) continue;
    try {
      await tryNeed(http, need);
    } catch (error) {
      if (error instanceof ForgeMissing) continue;
      if (!(error instanceof ForgeRefused) || error.status === 401) throw error;
      if (error.status === 403) lacking.add(scope);
    }
  }
  return [...lacking];
}

function scopeOf(need: SetupNeed): string {
  switch (need.need) {
    case 'accounts':
      return 'write:admin';
    case 'labels':
      return 'write:issue';
    case 'members':
      return 'write:repository';
    case 'hooks':
      if (need.place.level === 'repository') return 'write:repository';
      return need.place.level === 'system' ? 'write:admin' : 'write:organization and write:user';
  }
}

async function tryNeed(http: ForgeHttp, need: SetupNeed): Promise<void> {
  const nothing = { method: 'POST', body: {} } as const;
  switch (need.need) {
    case 'accounts':
      await http.tell({ ...nothing, path: '/admin/users' });
      return;
    case 'labels':
      await http.tellTo({ ...nothing, repository: need.repository, path: '/labels' });
      return;
    case 'members': {
      const path = '/collaborators/..no-such-account..';
      await http.tellTo({ method: 'DELETE', repository: need.repository, path });
      return;
    }
    case 'hooks': {
      const { path, sudo } = await hooksPath(http, need.place);
      await http.tell({ ...nothing, path, ...(sudo === null ? {} : { sudo }) });
    }
  }
}
