/** Whether an event is a comment with commands, and whether its author may give them. */
import type { ForgeConfig } from '../config/config.ts';
import { kitOf } from '../forges/registry.ts';
import { hasLogin } from '../logins.ts';
import { type AccountIds, isOurAccount, type Judgement } from '../trust/sender.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import { commandsIn, type WrittenCommand } from './command-words.ts';
import type { RouterDeps } from './routing.ts';

export interface GivenCommands {
  /** empty where the forge has no such comment, or its author may not give any */
  commands: readonly WrittenCommand[];
  /** flows see the comment as any other */
  saysMore: boolean;
  sender: Judgement;
  /** the comment was deleted, or never was */
  isGone: boolean;
}

/** Null: it holds no command of a person. Asks the forge only where there is one. */
export async function commandsOf(
  deps: RouterDeps,
  { forge, ids, event }: { forge: ForgeConfig; ids: AccountIds; event: ForgeEvent },
): Promise<GivenCommands | null> {
  const { comment, item, repository, sender: user } = event;
  if (event.name !== 'comment.created' || comment === null || item === null) return null;
  if (commandsIn(comment.body).commands.length === 0 || comment.author.id !== user.id) return null;
  // guard: commands: no robot commands
  if (!isPerson(forge, ids, event)) return null;
  const sender = await deps.trust.judge({ forge, repository, user, event: event.name });
  if (!sender.allowed) return { commands: [], saysMore: true, sender, isGone: false };
  const words = await deps.trust.words({ forge, repository, number: item.number, comment });
  if (words === null) return { commands: [], saysMore: true, sender, isGone: true };
  // As it reads now: its author may have edited it since.
  const { commands, saysMore } = commandsIn(words);
  const wakes = saysMore && !commands.some(isStopping);
  return { commands, saysMore: wakes || commands.some(isSaying), sender, isGone: false };
}

/** What else stands there says why, and must not begin what was just stopped. The next run reads it. */
function isStopping({ verb }: WrittenCommand): boolean {
  return verb === 'hold' || verb === 'cancel';
}

function isSaying({ verb, argument }: WrittenCommand): boolean {
  return verb === 'say' && argument !== '';
}

function isPerson(forge: ForgeConfig, ids: AccountIds, { sender }: ForgeEvent): boolean {
  const isRobot =
    kitOf(forge.kind).accountOf(sender) !== 'person' || hasLogin(forge.allowedBots, sender.login);
  return !isRobot && !isOurAccount(forge, ids, sender);
}
