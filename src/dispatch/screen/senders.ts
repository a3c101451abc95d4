/** Whether the people behind the messages still may wake the agent: asked again when its run begins. */
import type { ForgeConfig } from '../../config/config.ts';
import { RECENT_MS } from '../../trust/permissions.ts';
import type { Judgement } from '../../trust/sender.ts';
import type { Trust } from '../../trust.ts';
import { type ForgeUser, isOwnEvent } from '../../vocabulary.ts';
import type { CarriedMessage } from '../gather/messages.ts';

export interface Judged {
  allowed: CarriedMessage[];
  refused: { id: string; reason: string }[];
}

/** Each sender is asked about once. Throws when the forge cannot be asked: then nobody runs, and it is tried later. */
export async function judgeSenders(
  messages: readonly CarriedMessage[],
  { forgeConfig, trust }: { forgeConfig: ForgeConfig; trust: Trust },
): Promise<Judged> {
  const judgements = await Promise.all(
    messages.map(({ event }): Promise<Judgement> | Judgement =>
      isOwnEvent(event)
        ? OURS
        : trust.judge(
            { forge: forgeConfig, repository: event.repository, user: event.sender, event: event.name },
            RECENT_MS,
          ),
    ),
  );
  const refused = messages.flatMap(({ id }, index) => {
    const { allowed, reason } = judgements[index]!;
    return allowed ? [] : [{ id, reason: `when the run began: ${reason}` }];
  });
  // guard: trust: permission again before the run
  return { allowed: messages.filter((_, index) => judgements[index]!.allowed), refused };
}

/** Whoever spoke was asked for permission before it became a row; a timer is the conversation's own. */
const OURS: Judgement = { allowed: true, permission: null, reason: 'it is our own word' };

/** Most accounts the forge is asked about for one item, whoever floods it. The others are not trusted. */
const MOST_ASKED = 25;

/** Ids of those authors, newest first, whose text nobody vouches for. */
export async function untrustedAuthors(
  authors: readonly ForgeUser[],
  { forgeConfig, trust, repository }: AuthorQuestion,
): Promise<ReadonlySet<number>> {
  const distinct = [...new Map(authors.map((author) => [author.id, author])).values()];
  let asked = 0;
  const trusted = await Promise.all(
    distinct.map(async (user) => {
      const question = { forge: forgeConfig, repository, user, event: null };
      const known = trust.known(question);
      if (known !== null) return known.allowed;
      asked += 1;
      return asked > MOST_ASKED ? false : (await trust.judge(question)).allowed;
    }),
  );
  return new Set(distinct.filter((_, index) => !trusted[index]).map((user) => user.id));
}

export interface AuthorQuestion {
  forgeConfig: ForgeConfig;
  trust: Trust;
  repository: { id: string; fullName: string };
}
