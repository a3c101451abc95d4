/** What an item waits for, as the forge has it now: by its text, and by the forge's own dependencies. Reads. */
import { ForgeMissing } from '../errors.ts';
import type { Forge } from '../forges/forge.ts';
import type { RepositoryRef } from '../vocabulary.ts';
import { cycleThrough } from './graph.ts';
import { blockersIn } from './references.ts';

export interface ItemAt {
  repository: RepositoryRef;
  number: number;
  /** in another repository, and not named where people read it: who sees the one need not see the other */
  isHidden?: true;
}

export interface BlockedBy {
  /** those that are open */
  blockers: ItemAt[];
  /** the item itself first; null = it does not wait for itself */
  cycle: ItemAt[] | null;
}

/** The graph beyond is of no interest to people, and a forge is asked twice for each node. */
const MOST_NODES = 40;

type Client = Pick<Forge, 'getItem' | 'listDependencies' | 'findRepository'>;

export async function readBlockers(client: Client, start: ItemAt, forgeUrl: string): Promise<BlockedBy> {
  const reader = createReader(client, forgeUrl);
  const blockers = await reader.openBlockers(start);
  // What is closed itself waits for nothing: its run ends by itself.
  if (blockers.length === 0 || !(await reader.isOpen(start))) return { blockers: [], cycle: null };
  const nodes = new Map([start, ...blockers].map((item) => [keyOf(item), item]));
  const edges = new Map([[keyOf(start), blockers.map(keyOf)]]);
  const queue = [...blockers];
  for (let node = queue.shift(); node !== undefined && nodes.size < MOST_NODES; node = queue.shift()) {
    if (edges.has(keyOf(node))) continue;
    const next = await reader.openBlockers(node);
    edges.set(keyOf(node), next.map(keyOf));
    for (const one of next) {
      if (!nodes.has(keyOf(one))) nodes.set(keyOf(one), { ...one, isHidden: true });
      queue.push(one);
    }
  }
  const cycle = cycleThrough(keyOf(start), edges);
  return { blockers, cycle: cycle?.map((key) => nodes.get(key)!) ?? null };
}

export function keyOf({ repository, number }: ItemAt): string {
  return `${repository.fullName.toLowerCase()}#${number}`;
}

/** `#3` in the item's own repository, `team/shop#3` elsewhere where people may read it. */
export function nameOf({ repository, number, isHidden }: ItemAt, home: string): string {
  // guard: dependencies: no name that people may not see
  if (isHidden === true && repository.fullName !== home) return 'an item of another repository';
  return repository.fullName === home ? `#${number}` : `${repository.fullName}#${number}`;
}

function createReader(client: Client, forgeUrl: string) {
  const repositories = new Map<string, Promise<RepositoryRef | null>>();
  const items = new Map<string, ReturnType<Client['getItem']>>();

  const repositoryOf = (name: string): Promise<RepositoryRef | null> => {
    const key = name.toLowerCase();
    const known = repositories.get(key) ?? orNull(async () => (await client.findRepository(name)).repository);
    repositories.set(key, known);
    return known;
  };
  const itemOf = (at: ItemAt) => {
    const known = items.get(keyOf(at)) ?? client.getItem(at.repository, at.number);
    items.set(keyOf(at), known);
    return known;
  };
  /** What cannot be seen holds nothing up: a slip of the pen would block for ever. */
  const isOpen = async (at: ItemAt) => (await orNull(() => itemOf(at)))?.state === 'open';

  return {
    isOpen,
    async openBlockers(at: ItemAt): Promise<ItemAt[]> {
      const item = await orNull(() => itemOf(at));
      if (item === null) return [];
      const found = new Map<string, ItemAt>();
      for (const { repository: name, number } of blockersIn(item.body, forgeUrl)) {
        const repository = name === null ? at.repository : await repositoryOf(name);
        if (repository !== null) found.set(keyOf({ repository, number }), { repository, number });
      }
      const native = await client.listDependencies(at.repository, at.number);
      for (const { fullName, number } of native.kind === 'items' ? native.items : []) {
        const repository = fullName === at.repository.fullName ? at.repository : await repositoryOf(fullName);
        if (repository === null || found.has(keyOf({ repository, number }))) continue;
        found.set(keyOf({ repository, number }), { repository, number, isHidden: true });
      }
      const open: ItemAt[] = [];
      for (const one of found.values()) if (await isOpen(one)) open.push(one);
      return open;
    },
  };
}

async function orNull<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ForgeMissing) return null;
    throw error;
  }
}
