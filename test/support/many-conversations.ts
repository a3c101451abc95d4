/** Rows of many conversations at once, in one transaction of SQLite: through the mailbox they would take minutes. */
import { DatabaseSync } from 'node:sqlite';

/** A conversation changed last at this time has number 0; each three share a millisecond. */
export const FIRST_CHANGED = 1_760_000_000_000;

/** In the text form of our ids, in the order of the numbers. */
export function idOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

/**
 * Each has one dispatch that has ended, every tenth with a failure and every hundredth unposted; every hundredth has a
 * message and a dispatch that wait.
 */
export function addManyConversations(url: string, count: number): void {
  const db = new DatabaseSync(url.slice('sqlite:'.length));
  // Messages point at no event: no list reads one.
  db.exec('PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF');
  const numbers = `with recursive n(i) as (select 0 union all select i + 1 from n where i < ${count - 1})`;
  const id = "printf('00000000-0000-4000-8000-%012d', i)";
  const time = `${FIRST_CHANGED} - i / 3`;
  db.exec(`
    begin;
    insert into conversations (id, forge, repository_id, repository_name, agent, item_number, item_kind, title,
      created_at, updated_at, lease_token, lease_until)
      ${numbers} select ${id}, 'home', '42', 'orchard/pears', 'dev', i, 'issue', 'Matter ' || i, ${time}, ${time}, 0, 0 from n;
    insert into dispatches (id, conversation_id, agent, state, reason, priority, created_at, due_at, attempt, carried, ended_at)
      ${numbers} select 'ended-' || i, ${id}, 'dev',
        case when i % 100 = 1 then 'unposted' when i % 10 = 1 then 'failed' else 'succeeded' end,
        case when i % 10 = 1 then 'because of ' || i end, 50, ${time}, ${time}, 1, '[]', ${time} from n;
    insert into dispatches (id, conversation_id, agent, state, priority, created_at, due_at, attempt, carried)
      ${numbers} select 'waits-' || i, ${id}, 'dev', 'queued', 50, ${time}, ${time}, 0, '[]' from n where i % 100 = 0;
    insert into messages (id, conversation_id, delivery_id, flow, skill, parameters, priority, event_id, state, created_at)
      ${numbers} select 'm-' || i, ${id}, 'd-' || i, 'dev-comment', 'answer', '{}', 50, 'e-' || i, 'waiting', ${time} from n where i % 100 = 0;
    commit`);
  db.close();
}
