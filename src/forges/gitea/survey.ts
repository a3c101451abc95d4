/** Which repositories an account reaches, and who may be assigned there. */
import { z } from 'zod';
import { ForgeRefused } from '../../errors.ts';
import type { ForgeAccess, FoundRepository } from '../forge.ts';
import { offeredOr } from '../not-offered.ts';
import type { ForgeHttp } from './http.ts';
import { repository as repositoryShape, user as userShape } from './payloads.ts';

const flag = z.boolean().nullish();
const foundShape = repositoryShape.extend({
  empty: flag,
  permissions: z.object({ push: flag }).nullish(),
});
const listedShape = z.object({ full_name: z.string() });
const searchAnswer = z.object({ data: z.array(listedShape).nullish() });

type Survey = Pick<ForgeAccess, 'findRepository' | 'listRepositories' | 'listAssignable'>;

export function createSurvey(http: ForgeHttp): Survey {
  return {
    findRepository: (fullName) => findRepository(http, fullName),
    listRepositories: (owner) => listRepositories(http, owner),
    async listAssignable(repository) {
      const call = { method: 'GET', repository, path: '/assignees' } as const;
      const people = await offeredOr(
        null,
        async () => (await http.sendTo(call, z.array(userShape).nullish())).value ?? [],
      );
      if (people !== null) return { kind: 'people', people };
      return { kind: 'not-offered', why: 'This forge does not show this account who may be assigned.' };
    },
  };
}

function pathOf(fullName: string): string {
  return `/repos/${fullName.split('/').map(encodeURIComponent).join('/')}`;
}

const REDIRECTED = /\/repos\/([^/?#]+)\/([^/?#]+)\/?(?:[?#]|$)/;
/** A name may lead to another old name. */
const MOST_HOPS = 5;

/** After a rename or a transfer the old name redirects; the redirect is read, and never followed to another host. */
async function findRepository(http: ForgeHttp, fullName: string): Promise<FoundRepository> {
  let path = pathOf(fullName);
  for (let hop = 0; hop < MOST_HOPS; hop++) {
    const { text, location } = await http.look({ method: 'GET', path });
    if (location === null) return toFound(text, fullName);
    const target = REDIRECTED.exec(location);
    const id = /\/repositories\/(\d+)\/?$/.exec(location);
    if (target === null && id === null) break;
    path = id === null ? `/repos/${target![1]}/${target![2]}` : `/repositories/${id[1]}`;
  }
  throw new ForgeRefused(
    `The address of ${fullName} redirects to something that is no repository. Check that the forge's url leads to the forge.`,
    301,
  );
}

function toFound(text: string, fullName: string): FoundRepository {
  const parsed = foundShape.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new ForgeRefused(
      `The answer about ${fullName} is no repository. Check that the forge's url leads to the forge.`,
      200,
    );
  }
  const { id, full_name, clone_url, empty, permissions } = parsed.data;
  return {
    repository: { id: String(id), fullName: full_name },
    cloneUrl: clone_url,
    isEmpty: empty === true,
    mayPush: permissions?.push ?? null,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const PAGE = 50;
const MOST_PAGES = 10;

/** `/user/repos` takes read:user; a token for named repositories has none, and finds in a search what it may see. */
async function listRepositories(http: ForgeHttp, owner: string): Promise<string[]> {
  const own = await offeredOr(null, () =>
    pages(
      async (query) =>
        (await http.send({ method: 'GET', path: `/user/repos?${query}` }, z.array(listedShape).nullish()))
          .value ?? [],
    ),
  );
  const found =
    own ??
    (await offeredOr([], () =>
      pages(async (query) => {
        const path = `/repos/search?${query}`;
        return (await http.send({ method: 'GET', path }, searchAnswer)).value.data ?? [];
      }),
    ));
  const begin = `${owner.toLowerCase()}/`;
  return found.map((one) => one.full_name).filter((name) => name.toLowerCase().startsWith(begin));
}

async function pages<T>(ask: (query: string) => Promise<T[]>): Promise<T[]> {
  const found: T[] = [];
  for (let page = 1; page <= MOST_PAGES; page++) {
    const members = await ask(`page=${page}&limit=${PAGE}`);
    found.push(...members);
    if (members.length === 0) break;
  }
  return found;
}
