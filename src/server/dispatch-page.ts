/**
 * The page that a status comment and a commit status lead to: where one dispatch is. Its address has the dispatch's random
 * id, and whoever has it sees no names, no titles and no texts.
 */
import type { Hono } from 'hono';
import type { Database } from '../database/database.ts';
import { plainTime } from '../plain-time.ts';
import type { DispatchState } from '../vocabulary.ts';

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function addDispatchPage(app: Hono, { database }: { database: Database }): void {
  app.get('/dispatches/:id', async (c) => {
    const id = c.req.param('id');
    const found = ID.test(id) ? await dispatchOf(database, id) : undefined;
    if (found === undefined) return c.text('No dispatch has this id.\n', 404);
    c.header('cache-control', 'no-store');
    c.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
    return c.html(page(found));
  });
}

type Found = NonNullable<Awaited<ReturnType<typeof dispatchOf>>>;

async function dispatchOf(database: Database, id: string) {
  return await database.rows
    .selectFrom('dispatches')
    .select(['agent', 'state', 'attempt', 'created_at', 'due_at', 'started_at', 'ended_at'])
    .where('id', '=', id)
    .executeTakeFirst();
}

const WORDS: Record<DispatchState, string> = {
  queued: 'waits for its turn',
  running: 'is at work',
  parked: 'waits, and goes on by itself',
  interrupted: 'was interrupted, and goes on by itself',
  succeeded: 'has answered',
  unposted: 'has answered, and the forge refused the answer',
  failed: 'could not finish; its comment says why',
  cancelled: 'was stopped',
};

function page({ agent, state, attempt, ...at }: Found): string {
  const facts: [string, string][] = [
    ['Asked', time(at.created_at)],
    ['Begun', time(at.started_at)],
    [state === 'parked' ? 'Waits until' : 'Ended', time(state === 'parked' ? at.due_at : at.ended_at)],
    ['Attempts', String(attempt)],
  ];
  const list = facts.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join('');
  // Names of agents are lower-case letters, digits and dashes.
  const title = `${agent} ${WORDS[state]}`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="10"><title>${title}</title><style>body{font:1.1rem/1.5 system-ui;margin:3rem auto;max-width:36rem;padding:0 1rem}dt{font-weight:600}dd{margin:0 0 .6rem}</style><h1>${title}</h1><dl>${list}</dl></html>`;
}

function time(ms: number | null): string {
  return ms === null ? '–' : plainTime(Number(ms));
}
