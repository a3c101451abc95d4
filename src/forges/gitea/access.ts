/** Who may do what in a repository, and what a token may. */
import { z } from 'zod';
import { ForgeMissing, ForgeRefused, ForgeUnavailable } from '../../errors.ts';
import { sameLogin } from '../../logins.ts';
import { type ForgeUser, PERMISSIONS, type Permission, type RepositoryRef } from '../../vocabulary.ts';
import type { ForgeAccess, TokenScopes } from '../forge.ts';
import type { ForgeHttp, RepositoryCall } from './http.ts';
import { repository as repositoryShape, user as userShape } from './payloads.ts';

const permissionAnswer = z.object({ permission: z.enum(PERMISSIONS), user: userShape.nullish() });
const ownedRepository = repositoryShape.extend({ owner: userShape.nullish() });

export function createAccess(http: ForgeHttp): Pick<ForgeAccess, 'permissionOf' | 'tokenScopes'> {
  return {
    permissionOf: (repository, user) => permissionOf(http, repository, user),
    tokenScopes: (repository) => tokenScopes(http, repository),
  };
}

type Told = Permission | 'unknown' | 'another';

/**
 * The permission route answers the account itself and administrators; everybody else gets 403 and has to put the
 * answer together. Whatever is in doubt then is `unknown`: a guess would let a stranger wake an agent.
 */
async function permissionOf(http: ForgeHttp, repository: RepositoryRef, user: ForgeUser): Promise<Told> {
  const path = `/collaborators/${encodeURIComponent(user.login)}/permission`;
  try {
    const { value } = await http.sendTo({ method: 'GET', repository, path }, permissionAnswer);
    // guard: intake: one account
    if (value.user) return value.user.id === user.id ? value.permission : 'another';
    return await ofThisAccount(http, user, value.permission);
  } catch (error) {
    if (error instanceof ForgeMissing) return 'none';
    if (!(error instanceof ForgeRefused) || error.status !== 403) throw error;
  }
  return await deducedPermission(http, repository, user);
}

async function deducedPermission(http: ForgeHttp, repository: RepositoryRef, user: ForgeUser): Promise<Told> {
  const { login } = user;
  const byId = { method: 'GET', path: `/repositories/${encodeURIComponent(repository.id)}` } as const;
  const { value: found } = await http.send(byId, ownedRepository);
  const owner = found.full_name.split('/')[0]!;
  if (sameLogin(owner, login)) {
    if (found.owner) return found.owner.id === user.id ? 'owner' : 'another';
    return await ofThisAccount(http, user, 'owner');
  }
  const candidates = await assignees(http, repository);
  if (candidates === null) return 'unknown';
  const candidate = candidates.find((one) => sameLogin(one.login, login));
  if (candidate !== undefined && candidate.id !== user.id) return 'another';
  const collaborator = `/collaborators/${encodeURIComponent(login)}`;
  const isCollaborator = await holds(() => http.tellTo({ method: 'GET', repository, path: collaborator }));
  if (candidate !== undefined) {
    return await candidatePermission(http, { repository, owner, login, isCollaborator });
  }
  const reads = isCollaborator === true || found.private === false;
  return reads ? await ofThisAccount(http, user, 'read') : 'none';
}

/** For answers that name the account by its login alone. A hidden account cannot be looked up: then it is `unknown`. */
async function ofThisAccount(http: ForgeHttp, user: ForgeUser, permission: Permission): Promise<Told> {
  const path = `/users/${encodeURIComponent(user.login)}`;
  try {
    const { value } = await http.send({ method: 'GET', path }, userShape);
    return value.id === user.id ? permission : 'another';
  } catch (error) {
    if (error instanceof ForgeMissing || error instanceof ForgeRefused) return 'unknown';
    throw error;
  }
}

interface Candidate {
  repository: RepositoryRef;
  owner: string;
  login: string;
  isCollaborator: boolean | null;
}

/**
 * Who may be assigned may write, with one exception: in an organization, members of a team that only reads pull
 * requests are listed, too. So there it counts only where every team of the repository writes, or for a collaborator
 * who is no member. The teams are asked first: `/orgs` takes read:organization even for a person's repository.
 */
async function candidatePermission(
  http: ForgeHttp,
  { repository, owner, login, isCollaborator }: Candidate,
): Promise<Permission | 'unknown'> {
  const teams = await teamsOf(http, repository);
  if (teams === 'no-organization' || teams === 'all-write') return 'write';
  const organization = `/orgs/${encodeURIComponent(owner)}`;
  if (teams === 'untold') {
    const isOrganization = await holds(() => http.tell({ method: 'GET', path: organization }));
    if (isOrganization === false) return 'write';
    if (isOrganization === null) return 'unknown';
  }
  if (isCollaborator !== true) return 'unknown';
  const member = `${organization}/members/${encodeURIComponent(login)}`;
  const isMember = await holds(() => http.tell({ method: 'GET', path: member }));
  // guard: permission in doubt
  return isMember === false ? 'write' : 'unknown';
}

const teamAnswer = z.object({ permission: z.string().nullish() });
/** The forge says `none` for a team whose rights differ by part of the repository; such a team stays in doubt. */
const WRITING_TEAMS = ['write', 'admin', 'owner'];

/** 405 is how both forges say that the owner is a person; the route takes read:repository alone. */
async function teamsOf(
  http: ForgeHttp,
  repository: RepositoryRef,
): Promise<'no-organization' | 'all-write' | 'some-read' | 'untold'> {
  try {
    const call = { method: 'GET', repository, path: '/teams' } as const;
    const teams = (await http.sendTo(call, z.array(teamAnswer).nullish())).value;
    if (!teams || teams.length === 0) return 'some-read';
    // guard: world trust: a team that reads stays in doubt
    return teams.every((team) => WRITING_TEAMS.includes(team.permission ?? '')) ? 'all-write' : 'some-read';
  } catch (error) {
    // guard: world trust: teams before the organization
    if (error instanceof ForgeRefused && error.status === 405) return 'no-organization';
    if (error instanceof ForgeRefused || error instanceof ForgeMissing) return 'untold';
    throw error;
  }
}

async function assignees(http: ForgeHttp, repository: RepositoryRef): Promise<ForgeUser[] | null> {
  const call: RepositoryCall = { method: 'GET', repository, path: '/assignees' };
  try {
    const { value } = await http.sendTo(call, z.array(userShape).nullish());
    return value ?? [];
  } catch (error) {
    if (error instanceof ForgeRefused || error instanceof ForgeMissing) return null;
    throw error;
  }
}

/** null: the forge would not say. A redirect is no answer either: it means "not to you". */
async function holds(ask: () => Promise<unknown>): Promise<boolean | null> {
  try {
    await ask();
    return true;
  } catch (error) {
    if (error instanceof ForgeMissing) return false;
    if (error instanceof ForgeRefused) return error.status === 422 ? false : null;
    throw error;
  }
}

/** A refused scope is a 403 on a route of its group, for an account that may read the repository. */
async function tokenScopes(http: ForgeHttp, repository: RepositoryRef): Promise<TokenScopes> {
  const read = (path: string) => http.tellTo({ method: 'GET', repository, path });
  const [user, issue, repositoryGroup] = await Promise.all([
    granted(() => http.tell({ method: 'GET', path: '/user' })),
    granted(() => read('/issues?limit=1')),
    granted(() => read('/pulls?limit=1')),
  ]);
  return { user, issue, repository: repositoryGroup };
}

async function granted(ask: () => Promise<unknown>): Promise<'granted' | 'refused' | 'unknown'> {
  try {
    await ask();
    return 'granted';
  } catch (error) {
    if (error instanceof ForgeRefused && error.status === 403) return 'refused';
    if (error instanceof ForgeRefused || error instanceof ForgeMissing || error instanceof ForgeUnavailable)
      return 'unknown';
    throw error;
  }
}
