/** What waits for a person, oldest first. */

import type { Rows } from '../database/database.ts';
import type { AskRow } from '../database/feedback-tables.ts';
import { Ambiguous, NotFound } from '../errors.ts';
import { openAsks } from '../mailbox/asks.ts';
import { oneLine } from '../terminal-text.ts';
import type { AskKind } from '../vocabulary.ts';
import { isPrefix } from './references.ts';
import { timeOf } from './stored.ts';

export interface Inbox {
  asks: AskView[];
  /** of all, also beyond the limit */
  open: number;
}

/** Times RFC 3339 in UTC. */
export interface AskView {
  id: string;
  kind: AskKind;
  forge: string;
  /** `owner/name` */
  repository: string;
  number: number;
  agent: string | null;
  text: string;
  /** what a person can do, in a sentence */
  remedy: string;
  conversation: string | null;
  dispatch: string | null;
  openedAt: string;
}

export async function readInbox(rows: Rows, { limit }: { limit: number }): Promise<Inbox> {
  const { open } = await rows
    .selectFrom('asks')
    .select((e) => e.fn.countAll<number>().as('open'))
    .where('state', '=', 'open')
    .executeTakeFirstOrThrow();
  return { asks: (await openAsks(rows, limit)).map(viewOf), open: Number(open) };
}

function viewOf(row: AskRow): AskView {
  return {
    id: row.id,
    kind: row.kind,
    forge: row.forge,
    repository: row.repository_name,
    number: row.number,
    agent: row.agent,
    text: row.text,
    remedy: remedyFor(row),
    conversation: row.conversation_id,
    dispatch: row.dispatch_id,
    openedAt: timeOf(row.opened_at)!,
  };
}

function remedyFor({ kind, conversation_id: conversation, dispatch_id: dispatch }: AskRow): string {
  switch (kind) {
    case 'question':
      return 'Answer in a comment on the item; that wakes the agent.';
    case 'approval':
      return 'Do it yourself, or allow it in the configuration; then comment on the item.';
    case 'failed':
      return `Mend the cause, then \`claude-hooks retry ${conversation ?? ''}\`, or comment on the item.`;
    case 'unposted':
      return `Once the forge takes it: \`claude-hooks answers post ${dispatch ?? ''}\`.`;
    case 'stuck':
      return 'Look at the item, and comment there what is to be done.';
  }
}

/** The open ask with this id, or a beginning of it. */
export async function findAsk(rows: Rows, text: string): Promise<string> {
  const id = text.trim().toLowerCase();
  const found = isPrefix(id)
    ? await rows
        .selectFrom('asks')
        .select(['id', 'text'])
        .where('state', '=', 'open')
        .where('id', 'like', `${id}%`)
        .limit(20)
        .execute()
    : [];
  if (found.length === 1) return found[0]!.id;
  if (found.length > 1) {
    const candidates = found.map((one) => ({ id: one.id, is: oneLine(one.text, 60) }));
    throw new Ambiguous(
      `${oneLine(text)} begins the ids of ${found.length} entries. Give more of it.`,
      candidates,
    );
  }
  throw new NotFound(
    `Nothing that waits for a person has the id ${oneLine(text)}. \`claude-hooks inbox\` lists what waits.`,
  );
}
