/** Marks the session of a run that reads strangers' words, before it reads them, and says what it may no longer do. */
import type { RunMarks, Spoken } from '../../broker/scope.ts';
import type { Database } from '../../database/database.ts';
import { assertLease } from '../../mailbox/leases.ts';
import { shownText } from '../../security/hidden-text.ts';
import { markSession, openMarks, restrictionBy, type Words } from '../../sessions/marks.ts';
import { LONGEST_TO_SHOW } from '../../text-limits.ts';
import { isAccountOf } from '../../trust/sender.ts';
import type { Trust } from '../../trust.ts';
import type { ForgeUser } from '../../vocabulary.ts';
import type { Dispatch, DispatchForge } from '../dispatch.ts';
import { type AuthorQuestion, untrustedAuthors } from '../screen/senders.ts';

export interface SessionMarks extends RunMarks {
  /** Once its id is known, before the CLI is spawned: `spoken` is what the prompt shows. */
  begin(sessionId: string, spoken: readonly Spoken[]): Promise<void>;
  /** Before words are handed to the run. `woke`: ids of people whose messages these are. */
  hear(spoken: readonly Spoken[], woke: ReadonlySet<number>): Promise<void>;
}

export interface MarksRequest {
  dispatch: Pick<Dispatch, 'lease'> & { forge: Pick<DispatchForge, 'config'> };
  database: Database;
  trust: Trust;
  repository: AuthorQuestion['repository'];
  /** ids of people whose messages woke this run: for it their word counts */
  woke: ReadonlySet<number>;
  /** the session is marked by now; called before the words are handed over, perhaps several times */
  onMarked: () => Promise<void>;
  now: () => number;
}

export function sessionMarks(request: MarksRequest): SessionMarks {
  const { lease } = request.dispatch;
  let sessionId: string | null = null;
  let restriction: string | null = null;
  const keep = async (source: string, words: readonly Words[]): Promise<void> => {
    const id = sessionId;
    if (id === null) throw new Error('No session runs yet, so nothing may be shown to it. This is a bug.');
    const session = { id, conversationId: lease.conversation.id };
    if (words.length > 0) {
      await request.database.transaction(async (tx) => {
        await assertLease(tx, lease);
        const now = request.now();
        // guard: marks: kept with the session
        await markSession(tx, { session, dispatchId: lease.dispatch.id, source, words, now });
      });
    }
    const marks = await openMarks(request.database.rows, id);
    // A person may lift marks while the run lasts. The run has still read the words, so it stays restricted to its end.
    // guard: trust: fewer tools beside strangers’ words
    restriction = restrictionBy(marks) ?? restriction;
    // guard: steering: kept before the words are handed over
    if (restriction !== null) await request.onMarked();
  };
  return {
    restriction: () => restriction,
    show: async (source, spoken) => {
      const words = await strangersWords(request, spoken, NOBODY);
      if (words.length > 0) await keep(source, words);
    },
    hear: async (spoken, woke) => {
      const words = await strangersWords(request, spoken, woke);
      if (words.length > 0) await keep('prompt', words);
    },
    begin: async (id, spoken) => {
      sessionId = id;
      restriction = null;
      await keep('prompt', await strangersWords(request, spoken, request.woke));
    },
  };
}

const NOBODY: ReadonlySet<number> = new Set();

async function strangersWords(
  request: MarksRequest,
  spoken: readonly Spoken[],
  excused: ReadonlySet<number>,
): Promise<Words[]> {
  const said = spoken.filter(({ text, author }) => text.trim() !== '' || author.id === null);
  if (said.length === 0) return [];
  const forgeConfig = request.dispatch.forge.config;
  const { trust, repository } = request;
  const people = said.flatMap(({ author }) => (isPerson(author) ? [author] : []));
  const untrusted = await untrustedAuthors(people, { forgeConfig, trust, repository });
  const words: Words[] = [];
  for (const { author, number, place, text } of said) {
    if (!isPerson(author)) words.push({ author: author.login, place, text: await asShown(text) });
    else if (untrusted.has(author.id)) {
      if (!excused.has(author.id)) words.push({ author: author.login, place, text: await asShown(text) });
    } else {
      const source = await markedAuthor(request, author, number);
      // guard: marks: our own accounts
      if (source !== null) words.push({ author: source, place, text: await asShown(text) });
    }
  }
  return words;
}

/** One text is one mark, whether a prompt or a tool shows it: both leave out what the forge hides. */
async function asShown(text: string): Promise<string> {
  return text.length > LONGEST_TO_SHOW ? text : (await shownText(text)).text.trim();
}

function isPerson(author: Spoken['author']): author is ForgeUser {
  return author.id !== null;
}

/** One of our accounts is trusted unless its session has read strangers' words: it may repeat them. */
async function markedAuthor(
  { dispatch: { lease, forge }, database, trust }: MarksRequest,
  author: ForgeUser,
  number: number | null,
): Promise<string | null> {
  if (number === null) return null;
  const ids = trust.ids(forge.config);
  const agents = Object.keys(forge.config.accounts).filter((agent) =>
    isAccountOf({ forge: forge.config, ids, agent }, author),
  );
  if (agents.length === 0) return null;
  const { repository_id, id } = lease.conversation;
  const mark = await database.rows
    .selectFrom('conversation_items as i')
    .innerJoin('sessions as s', 's.conversation_id', 'i.conversation_id')
    .innerJoin('session_marks as m', 'm.session_id', 's.id')
    .select('m.author')
    .where('i.forge', '=', lease.conversation.forge)
    .where('i.repository_id', '=', repository_id)
    .where('i.number', '=', number)
    .where('i.agent', 'in', agents)
    .where('i.conversation_id', '!=', id)
    .where('s.state', 'in', ['proposed', 'verified'])
    .where('m.lift_id', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return mark === undefined ? null : `${author.login} after it had read text by ${mark.author}`;
}
