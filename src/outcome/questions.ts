/** What an agent asks a person, and what a rule leaves to one: rows of their own, so that nobody has to search for them. */
import { openAsk } from '../mailbox/asks.ts';
import { conversationsById } from '../mailbox/conversations.ts';
import type { AskKind, DispatchKey } from '../vocabulary.ts';
import type { EffectDeps } from './effects.ts';

export interface LeftToPeople {
  key: DispatchKey;
  kind: Extract<AskKind, 'question' | 'approval'>;
  /** which of several of this dispatch */
  id: string;
  text: string;
}

export async function leaveToPeople(
  { database, now, assertMine }: Pick<EffectDeps, 'database' | 'now' | 'assertMine'>,
  { key, kind, id, text }: LeftToPeople,
): Promise<void> {
  await database.transaction(async (tx) => {
    await assertMine(tx);
    const [conversation] = await conversationsById(tx, [key.conversationId]);
    if (conversation === undefined) return;
    await openAsk(tx, {
      key: `${kind}:${key.dispatchId}:${id}`,
      kind,
      conversation,
      dispatchId: key.dispatchId,
      text,
      now: now(),
    });
  });
}
