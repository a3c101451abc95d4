/** The real trust before a forge that knows the permissions it was told. */
import type { ForgeConfig } from '../../src/config/config.ts';
import { ForgeMissing } from '../../src/errors.ts';
import type { CiState, Item, TimelineEntry } from '../../src/forges/forge.ts';
import { silentLog } from '../../src/log.ts';
import type { Told } from '../../src/trust/permissions.ts';
import { createTrust, type Trust, type TrustDeps } from '../../src/trust.ts';
import type { EventRepository, ForgeUser, RepositoryRef } from '../../src/vocabulary.ts';

export interface KnownForge {
  /** what the forge answers, or throws; `agent` is whose account asks */
  permissionOf: (login: string, agent: string) => Told | Promise<Told>;
  /** which repository an id is; without it, the forge has every repository that is claimed */
  repository?: (claimed: RepositoryRef, agent: string) => { repository: EventRepository; named: boolean };
  /** whether the forge's items are as deliveries say; without it, they are */
  isAsSaid?: boolean;
  /** state of the forge's items by number; without it, there is none */
  states?: Readonly<Record<number, 'open' | 'closed'>>;
  /** ids of comments that are still there; without it, none is */
  comments?: readonly number[];
  /** the forge's only item; without it, it has none */
  item?: () => Item;
  /** of any commit; without it, none ran */
  ci?: () => CiState;
  /** of that item, since then; without it, the forge keeps none */
  timeline?: (since: string | null) => readonly TimelineEntry[];
  /** whose token an agent has */
  self?: (agent: string) => ForgeUser;
  forges?: Readonly<Record<string, ForgeConfig>>;
  now?: () => number;
  log?: TrustDeps['log'];
}

export function trustWith(forge: KnownForge): Trust {
  const trust = createTrust({
    forges: () => forge.forges ?? {},
    client: (_, agent) => ({
      permissionOf: async (_repository, { login }) => await forge.permissionOf(login, agent),
      identifyRepository: async (claimed) =>
        forge.repository?.(claimed, agent) ?? { repository: repositoryNamed(claimed), named: true },
      getComment: async (_repository, id) => {
        if (forge.comments?.includes(id) !== true) throw new ForgeMissing(`There is no comment ${id}.`);
        return { ...COMMENT, id };
      },
      findReviewComment: async () => null,
      timeline: async (_repository, _number, { since }) =>
        forge.timeline === undefined
          ? { kind: 'not-offered', why: 'This forge was told of no timeline.' }
          : { kind: 'timeline', entries: [...forge.timeline(since)], isLast: true },
      findRepository: async () => {
        throw new ForgeMissing('This forge was told of no repositories.');
      },
      listRepositories: async () => [],
      listAssignable: async () => ({ kind: 'people', people: [] }),
      getItem: async () => {
        if (forge.item !== undefined) return forge.item();
        throw new ForgeMissing('This forge was told of no items.');
      },
      ciState: async () => forge.ci?.() ?? { state: 'none', failed: [] },
      self: async () => {
        if (forge.self === undefined) throw new Error('This forge was not told who its accounts are.');
        return forge.self(agent);
      },
    }),
    now: forge.now ?? Date.now,
    log: forge.log ?? silentLog,
  });
  return {
    ...trust,
    isAsSaid: async () => forge.isAsSaid ?? true,
    item: async ({ number }) => {
      const state = forge.states?.[number];
      return state === undefined ? null : ({ number, state } as Item);
    },
  };
}

const COMMENT = {
  author: { id: 7, login: 'alice' },
  body: 'Look.',
  htmlUrl: '',
  createdAt: '2026-01-02T03:04:05Z',
  updatedAt: '2026-01-02T03:04:05Z',
  itemNumber: 12,
};

export function repositoryNamed({ id, fullName }: RepositoryRef): EventRepository {
  const htmlUrl = `https://forge.example.org/${fullName}`;
  return { id, fullName, defaultBranch: 'main', cloneUrl: `${htmlUrl}.git`, htmlUrl, private: false };
}

export function everybodyMayWrite(): Trust {
  return trustWith({ permissionOf: () => 'write' });
}
