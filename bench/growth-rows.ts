/**
 * Rows of conversations that have been: each with two deliveries that were routed, their messages, two dispatches that
 * succeeded, a session, a record and an effect; every hundredth has a dispatch that waits for a time to come. Made in
 * the database itself: a hundred thousand conversations through the service would take days.
 */
import { hash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';

/** Repositories the conversations are spread over; their ids begin here. */
export const REPOSITORIES = 20;
export const FIRST_REPOSITORY = 42;
/** One conversation in this many has something waiting. */
export const WAITING_EVERY = 100;
/** 2286: nothing that waits is due before somebody says so. */
export const FAR_AWAY = 9_999_999_999_999;

/** Adds conversations number `from` to `to`, both included. */
export async function addConversations(url: string, from: number, to: number): Promise<void> {
  if (url.startsWith('sqlite:')) {
    const db = new DatabaseSync(url.slice('sqlite:'.length));
    // Imported rows need no power cut.
    db.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000');
    db.function('md5', (text) => hash('md5', String(text)));
    db.function('repeat', (text, times) => String(text).repeat(Number(times)));
    db.exec(['BEGIN', ...statements(from, to, 'blob'), 'COMMIT'].join(';\n'));
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    db.close();
    return;
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(['BEGIN', ...statements(from, to, 'bytea'), 'COMMIT'].join(';\n'));
  // What autovacuum does within a minute.
  await client.query('vacuum analyze');
  await client.end();
}

const TIME = 1_760_000_000_000;

function statements(from: number, to: number, bytes: 'blob' | 'bytea'): string[] {
  const n = `with recursive n(i) as (select ${from} union all select i + 1 from n where i < ${to})`;
  const pair = 'n cross join (select 1 as j union all select 2) as p';
  const conversation = "md5('c' || i)";
  const repository = `cast(${FIRST_REPOSITORY} + i % ${REPOSITORIES} as text)`;
  const into = (table: string, columns: string, values: string, source = 'n') =>
    // The order of the columns is told: the schema's own may change.
    `insert into ${table} (${columns}) ${n} select ${values} from ${source}`;
  return [
    into(
      'conversations',
      'id, forge, repository_id, repository_name, agent, item_number, item_kind, title, branch, seen, created_at, updated_at, lease_worker, lease_token, lease_until',
      `${conversation}, 'home', ${repository}, 'orchard/r' || (i % ${REPOSITORIES}), 'dev', i, 'issue', 'Matter number ' || i, 'dev/' || i, repeat(md5('s' || i), 10), ${TIME}, ${TIME}, null, 2, 0`,
    ),
    into(
      'conversation_items',
      'forge, repository_id, number, agent, conversation_id',
      `'home', ${repository}, i + (j - 1) * 1000000, 'dev', ${conversation}`,
      pair,
    ),
    into(
      'items',
      'forge, repository_id, number, kind, labels, assignees, head_sha, head_ref, occurred_at',
      `'home', ${repository}, i, 'issue', '[]', '["dev-bot"]', null, null, '2025-10-09T08:53:20Z'`,
    ),
    into(
      'deliveries',
      'id, forge, forge_delivery_id, source, headers, body, received_at, state, event_name, decision, decided_at, attempts, next_attempt_at',
      `md5('d' || i || '-' || j), 'home', md5('f' || i || '-' || j), 'webhook', '{}', cast(repeat(md5('b' || i || j), 24) as ${bytes}), ${TIME}, case when j = 1 then 'routed' else 'ignored' end, 'comment.created', repeat(md5('e' || i), 8), ${TIME}, 0, ${TIME}`,
      pair,
    ),
    into(
      'events',
      'id, forge, semantic_key, source, delivery_id, event',
      `md5('d' || i || '-' || j), 'home', md5('k' || i || '-' || j), 'webhook', md5('d' || i || '-' || j), repeat(md5('v' || i || j), 40)`,
      pair,
    ),
    into(
      'events',
      'id, forge, semantic_key, source, delivery_id, event',
      `md5('d' || i || '-w'), 'home', md5('k' || i || '-w'), 'webhook', md5('d' || i || '-w'), repeat(md5('v' || i), 40)`,
      `n where i % ${WAITING_EVERY} = 0`,
    ),
    into(
      'messages',
      'id, conversation_id, delivery_id, flow, skill, parameters, priority, event_id, state, dispatch_id, created_at, settled_at',
      `md5('m' || i || '-' || j), ${conversation}, md5('d' || i || '-' || j), 'dev-mentioned', 'answer-comment', '{}', 50, md5('d' || i || '-' || j), 'answered', md5('x' || i || '-' || j), ${TIME}, ${TIME}`,
      pair,
    ),
    into(
      'dispatches',
      'id, conversation_id, agent, state, priority, created_at, due_at, attempt, worker, started_at, ended_at, session_id, continuity, prompt, carried, answer, ending, turns, usage',
      `md5('x' || i || '-' || j), ${conversation}, 'dev', 'succeeded', 50, ${TIME}, ${TIME}, 1, 'w', ${TIME}, ${TIME}, md5('t' || i), 'resumed', repeat(md5('p' || i || j), 24), '[]', repeat(md5('a' || i || j), 12), 'answered', 3, '{}'`,
      pair,
    ),
    into(
      'sessions',
      'id, conversation_id, ordinal, state, head, size, failed_resumes, synthesised, cli_version, config_folder, created_at, verified_at',
      `md5('t' || i), ${conversation}, 1, 'verified', md5('h' || i), 50000, 0, 0, '2.1.330', '/state/conversations/' || md5('c' || i), ${TIME}, ${TIME}`,
    ),
    into(
      'turns',
      'dispatch_id, conversation_id, kind, content, uuid, at',
      `md5('x' || i || '-' || j), ${conversation}, 'answer', repeat(md5('a' || i || j), 12), md5('u' || i || j), ${TIME}`,
      pair,
    ),
    into(
      'effects',
      'id, dispatch_id, conversation_id, key, kind, state, request, result, attempts, created_at, done_at',
      `md5('o' || i), md5('x' || i || '-1'), ${conversation}, md5('x' || i || '-1') || ':comment', 'comment', 'done', '{}', '{}', 1, ${TIME}, ${TIME}`,
    ),
    into(
      'messages',
      'id, conversation_id, delivery_id, flow, skill, parameters, priority, event_id, state, created_at',
      `md5('m' || i || '-w'), ${conversation}, md5('d' || i || '-w'), 'dev-comment', 'answer-comment', '{}', 40, md5('d' || i || '-w'), 'waiting', ${TIME}`,
      `n where i % ${WAITING_EVERY} = 0`,
    ),
    into(
      'dispatches',
      'id, conversation_id, agent, state, reason, priority, created_at, due_at, attempt, carried',
      `md5('x' || i || '-w'), ${conversation}, 'dev', 'parked', 'usage limit', 40, ${TIME}, ${FAR_AWAY}, 0, '[]'`,
      `n where i % ${WAITING_EVERY} = 0`,
    ),
  ];
}
