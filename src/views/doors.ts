/** The audit of the doors to packages and to hosts by name, added up: what passed and what was refused. */
import type { Rows } from '../database/database.ts';
import type { AuditRow } from '../database/tables.ts';
import { type Named, requireConversations } from './references.ts';
import { timeOf } from './stored.ts';

type Door = 'packages' | 'network';

/** All that was asked in the same words and had the same end. */
export interface DoorEntry {
  door: Door;
  /** `CONNECT files.example.org:443`, `GET npm lodash 4.17.21` */
  action: string;
  decision: AuditRow['decision'];
  /** why, in one word */
  verdict: string;
  /** a sentence for people; null when allowed */
  reason: string | null;
  times: number;
  /** bytes that the agent sent and received */
  sent: number;
  received: number;
  /** RFC 3339 in UTC */
  last: string;
}

export interface DoorsView {
  doors: {
    door: Door;
    /** requests by what became of them */
    allowed: number;
    denied: number;
    failed: number;
    sent: number;
    received: number;
  }[];
  /** what came last first */
  entries: DoorEntry[];
  /** entries that `limit` left out */
  more: number;
  /** true: there are older rows than were added up */
  isCut: boolean;
}

export interface DoorsQuery {
  /** what names a conversation; null = everything */
  reference: Named | null;
  /** only what was not allowed */
  denied: boolean;
  limit: number;
}

/** Newest rows that are added up. */
const MOST_ROWS = 20_000;

/** Throws NotFound when the reference names nothing. */
export async function readDoors(rows: Rows, query: DoorsQuery): Promise<DoorsView> {
  const found = await rowsOf(rows, query);
  const counted = found.slice(0, MOST_ROWS).map(partsOf);
  const entries = [...groups(counted).values()].filter(
    ({ decision }) => !query.denied || decision !== 'allowed',
  );
  return {
    doors: (['packages', 'network'] as const).map((door) => totalsOf(door, counted)),
    entries: entries.slice(0, query.limit),
    more: Math.max(0, entries.length - query.limit),
    isCut: found.length > MOST_ROWS,
  };
}

async function rowsOf(rows: Rows, { reference }: DoorsQuery): Promise<AuditRow[]> {
  let matching = rows
    .selectFrom('audit')
    .selectAll()
    .where('door', 'in', ['packages', 'network'])
    .orderBy('seq', 'desc')
    .limit(MOST_ROWS + 1);
  if (reference !== null) {
    const conversations = await requireConversations(rows, reference);
    matching = matching.where(
      'conversation_id',
      'in',
      conversations.map(({ id }) => id),
    );
  }
  return await matching.execute();
}

type Part = Omit<DoorEntry, 'times'> & { isRequest: boolean };

function partsOf(row: AuditRow): Part {
  const detail = JSON.parse(row.detail) as Record<string, unknown>;
  const number = (value: unknown) => (typeof value === 'number' ? value : 0);
  const verdict = String(detail.verdict ?? row.decision);
  return {
    door: row.door as Door,
    action: row.action,
    decision: row.decision,
    // A connection has a row when it is opened and one when it has ended; the second one knows the bytes.
    verdict: verdict === 'ended' ? 'opened' : verdict,
    reason: row.reason,
    isRequest: verdict !== 'ended',
    sent: number(detail.sent),
    received: number(detail.received ?? detail.bytes),
    last: timeOf(Number(row.at))!,
  };
}

function groups(parts: readonly Part[]): Map<string, DoorEntry> {
  const found = new Map<string, DoorEntry>();
  for (const { isRequest, ...part } of parts) {
    const key = JSON.stringify([part.door, part.action, part.verdict]);
    const known = found.get(key);
    if (known === undefined) found.set(key, { ...part, times: Number(isRequest) });
    else {
      known.times += Number(isRequest);
      known.sent += part.sent;
      known.received += part.received;
    }
  }
  return found;
}

function totalsOf(door: Door, parts: readonly Part[]): DoorsView['doors'][number] {
  const own = parts.filter((part) => part.door === door);
  const count = (decision: AuditRow['decision']) =>
    own.filter((part) => part.isRequest && part.decision === decision).length;
  const sum = (pick: (part: Part) => number) => own.reduce((total, part) => total + pick(part), 0);
  return {
    door,
    allowed: count('allowed'),
    denied: count('denied'),
    failed: count('failed'),
    sent: sum(({ sent }) => sent),
    received: sum(({ received }) => received),
  };
}
