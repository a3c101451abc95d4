/** The layers of set-up commands: what there is, for whom, and what an operator may write to name one. */
import type { Rows } from '../database/database.ts';
import type { LayerState } from '../database/door-tables.ts';
import type { LayerRow } from '../database/tables.ts';
import { NotFound } from '../errors.ts';
import { oneLine } from '../terminal-text.ts';
import { ambiguous, isPrefix } from './references.ts';
import { storedJson, timeOf } from './stored.ts';

export interface LayerView {
  key: string;
  /** the installation whose state folder has it */
  place: string;
  /** `forge:owner/name` */
  repository: string;
  engine: string;
  image: string | null;
  state: LayerState;
  reason: string | null;
  bytes: number;
  /** the dispatch that built it */
  madeBy: string;
  createdAt: string;
  endedAt: string | null;
  usedAt: string | null;
  failures: number;
  retryAt: string | null;
  recipe: unknown;
  logEnd: string | null;
}

export async function listLayers(rows: Rows, { limit }: { limit: number }): Promise<LayerView[]> {
  const found = await rows
    .selectFrom('layers')
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('key')
    .limit(limit)
    .execute();
  return found.map(viewLayer);
}

/** By its key or a beginning of it. */
export async function requireLayer(rows: Rows, text: string): Promise<LayerRow> {
  const found = isPrefix(text)
    ? await rows.selectFrom('layers').selectAll().where('key', 'like', `${text}%`).limit(20).execute()
    : [];
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    const candidates = found.map((row) => ({ id: row.key, is: `${row.state} for ${repositoryOf(row)}` }));
    throw ambiguous(text, 'layer', candidates);
  }
  throw new NotFound(
    `No layer is named by ${oneLine(text)}. Give its key or the first 6 characters of it; \`claude-hooks layers list\` shows them.`,
  );
}

function viewLayer(row: LayerRow): LayerView {
  return {
    key: row.key,
    place: row.place,
    repository: repositoryOf(row),
    engine: row.engine,
    image: row.image,
    state: row.state,
    reason: row.reason,
    bytes: Number(row.bytes),
    madeBy: row.made_by,
    createdAt: timeOf(row.created_at)!,
    endedAt: timeOf(row.ended_at),
    usedAt: timeOf(row.used_at),
    failures: row.failures,
    retryAt: timeOf(row.retry_at),
    recipe: storedJson(row.recipe),
    logEnd: row.log_end,
  };
}

function repositoryOf(row: LayerRow): string {
  return `${row.forge}:${row.repository_name}`;
}
