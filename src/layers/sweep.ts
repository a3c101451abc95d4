/** Removes layers: what a person does not want, what nobody has used for long, and what is beyond the limit. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../database/database.ts';
import type { LayerRow } from '../database/tables.ts';
import { removeTree } from '../workdir/remove-tree.ts';
import { readyFolder } from './manifest.ts';

export interface Sweep {
  folder: string;
  database: Database;
  place: string;
  unusedDays: number;
  maxBytes: number;
  isUsed(key: string): boolean;
  now: number;
}

const DAY_MS = 86_400_000;

/** Answers the keys of what was removed. */
export async function sweepLayers(s: Sweep): Promise<string[]> {
  const rows = await s.database.rows.selectFrom('layers').selectAll().where('place', '=', s.place).execute();
  const unwanted = layersToRemove(rows, s);
  for (const key of unwanted) {
    await removeLayer(s, key);
    await s.database.rows.deleteFrom('layers').where('place', '=', s.place).where('key', '=', key).execute();
  }
  return [...unwanted, ...(await removeUnknown(s, rows))];
}

/** Pure. */
export function layersToRemove(
  rows: readonly Pick<LayerRow, 'key' | 'state' | 'used_at' | 'created_at' | 'bytes' | 'retry_at'>[],
  { unusedDays, maxBytes, isUsed, now }: Pick<Sweep, 'unusedDays' | 'maxBytes' | 'isUsed' | 'now'>,
): string[] {
  const lastUse = (row: (typeof rows)[number]) => Number(row.used_at ?? row.created_at);
  const isOld = (row: (typeof rows)[number]) =>
    lastUse(row) < now - unusedDays * DAY_MS && Number(row.retry_at ?? 0) < now;
  // guard: layers: none in use is removed
  const free = rows.filter(({ key, state }) => state !== 'building' && !isUsed(key));
  const removed = free.filter((row) => row.state === 'unwanted' || isOld(row)).map(({ key }) => key);
  let left = rows
    .filter(({ key }) => !removed.includes(key))
    .reduce((sum, { bytes }) => sum + Number(bytes), 0);
  for (const row of free.toSorted((a, b) => lastUse(a) - lastUse(b))) {
    if (left <= maxBytes) break;
    if (removed.includes(row.key) || row.state !== 'ready') continue;
    removed.push(row.key);
    left -= Number(row.bytes);
  }
  return removed;
}

async function removeLayer({ folder }: Sweep, key: string): Promise<void> {
  const aside = join(folder, 'removing', randomUUID());
  await mkdir(join(folder, 'removing'), { recursive: true, mode: 0o700 });
  // By a rename first: a layer that is removed half is no layer.
  const isThere = await rename(readyFolder(folder, key), aside).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return false;
    },
  );
  if (isThere) await removeTree(aside);
}

/** On the disk without a row: the database is of another time than the state folder. A run may still find it. */
async function removeUnknown(s: Sweep, rows: readonly LayerRow[]): Promise<string[]> {
  const known = new Set(rows.map(({ key }) => key));
  const removed: string[] = [];
  for (const key of await readdir(join(s.folder, 'ready')).catch(() => [] as string[])) {
    if (known.has(key) || s.isUsed(key)) continue;
    const { mtimeMs } = await stat(readyFolder(s.folder, key));
    if (mtimeMs > s.now - s.unusedDays * DAY_MS) continue;
    await removeLayer(s, key);
    removed.push(key);
  }
  return removed;
}
