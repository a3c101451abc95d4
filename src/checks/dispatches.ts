/** Dispatches that wait, and those that failed where nothing has succeeded in the conversation since. */
import { existsSync } from 'node:fs';
import { type Database, openDatabase, type Rows } from '../database/database.ts';
import { showTime } from '../terminal-text.ts';
import type { Check } from './check.ts';

export type DispatchCheck = 'dispatches' | 'dispatches-wait' | 'dispatches-failed';

const DAY_MS = 24 * 3600_000;
const LOOKED_BACK_DAYS = 7;
/** A dispatch that waits for running CI looks again after 10 s; that is no trouble. */
const SHORT_WAIT_MS = 15_000;

export async function troubledDispatches(rows: Rows, now: number): Promise<Check<DispatchCheck>[]> {
  return [...(await parked(rows, now)), ...(await failed(rows, now))];
}

async function parked(rows: Rows, now: number): Promise<Check<DispatchCheck>[]> {
  const waiting = await rows
    .selectFrom('dispatches')
    .select(['id', 'reason', 'due_at', 'troubles'])
    .where('state', '=', 'parked')
    .where('due_at', '>', now)
    .where((e) => e.or([e('troubles', '>', 0), e('due_at', '>', now + SHORT_WAIT_MS)]))
    .orderBy('troubles', 'desc')
    .orderBy('seq')
    .execute();
  const [worst] = waiting;
  if (worst === undefined) return [];
  const attempts = worst.troubles > 0 ? `, ${worst.troubles} attempts` : '';
  return [
    {
      check: 'dispatches-wait',
      severity: 'broken',
      subject: 'dispatches',
      problem: `${counted(waiting.length, 'waits', 'wait')} for a limit to end, or for something that is away or failing, and ${waiting.length === 1 ? 'tries' : 'try'} again by ${waiting.length === 1 ? 'itself' : 'themselves'}`,
      evidence: `${worst.id}${attempts}, next at ${showTime(worst.due_at)}: ${worst.reason ?? ''}`,
      remedy:
        'Mend what the evidence names: a limit ends by itself, a refused key has to be replaced, what is away has to be reachable from here.',
    },
  ];
}

async function failed(rows: Rows, now: number): Promise<Check<DispatchCheck>[]> {
  const found = await rows
    .selectFrom('dispatches as d')
    .select(['d.id', 'd.conversation_id', 'd.state', 'd.reason', 'd.ended_at'])
    // guard: doctor and smoke: what failed
    .where('d.state', 'in', ['failed', 'unposted'])
    .where('d.ended_at', '>', now - LOOKED_BACK_DAYS * DAY_MS)
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('dispatches as later')
            .select('later.id')
            .whereRef('later.conversation_id', '=', 'd.conversation_id')
            .whereRef('later.seq', '>', 'd.seq')
            .where('later.state', '=', 'succeeded'),
        ),
      ),
    )
    .orderBy('d.seq', 'desc')
    .execute();
  const [newest] = found;
  if (newest === undefined) return [];
  const isUnposted = newest.state === 'unposted';
  return [
    {
      check: 'dispatches-failed',
      severity: 'broken',
      subject: 'dispatches',
      problem: `${counted(found.length, 'has', 'have')} failed in the last ${LOOKED_BACK_DAYS} days, and nothing has succeeded in ${found.length === 1 ? 'its conversation' : 'their conversations'} since`,
      evidence: `${newest.id} at ${showTime(newest.ended_at!)}: ${newest.reason ?? ''}`,
      remedy: isUnposted
        ? `Mend what the evidence names, then run \`claude-hooks answers post ${newest.id}\`.`
        : `See \`claude-hooks conversations ${newest.conversation_id}\`, mend what the evidence names, and comment on the item: that begins a new dispatch.`,
    },
  ];
}

function counted(count: number, one: string, many: string): string {
  return count === 1 ? `1 dispatch ${one}` : `${count} dispatches ${many}`;
}

/** The same for smoke, which has no database open. */
export async function checkDispatches(url: string, now: number): Promise<Check<DispatchCheck>[]> {
  const file = /^sqlite:(.+)$/.exec(url)?.[1];
  // The first start of the service makes the file; before it, nothing can have failed.
  if (file !== undefined && !existsSync(file)) return [];
  const about = { check: 'dispatches', subject: 'dispatches' } as const;
  let database: Database | null = null;
  try {
    database = openDatabase({ url, readOnly: true });
    const found = await troubledDispatches(database.rows, now);
    if (found.length > 0) return found;
    const evidence = 'none waits for something that is away, none failed';
    return [{ ...about, severity: 'ok', problem: '', evidence, remedy: '' }];
  } catch (error) {
    const evidence = (error as Error).message.split('\n')[0]!;
    const remedy = 'Run `claude-hooks doctor`, which says what is wrong.';
    return [{ ...about, severity: 'broken', problem: 'the database cannot be read', evidence, remedy }];
  } finally {
    await database?.close().catch(() => {});
  }
}
