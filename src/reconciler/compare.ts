/** What the forge's history has and `events` has not. Pure. */
import type { Happened } from '../forges/changes.ts';
import { isNear, likenessOf } from '../forges/likeness.ts';
import { findMentions } from '../mentions.ts';
import type { ForgeEvent } from '../vocabulary.ts';

export interface Comparison {
  happened: readonly Happened[];
  /** what is known of these items, whoever told it */
  known: readonly ForgeEvent[];
  /**
   * Whether everybody who may edit another's text may wake agents as well: only then an edit whose author the forge does
   * not tell counts as the author's own.
   */
  editorsMayWake: boolean;
}

/** Stands for whoever it was that edited a text. Nobody has this account, so such an edit wakes nobody. */
const SOMEBODY = { id: -1, login: 'ghost' };

export function missingOf({ happened, known, editorsMayWake }: Comparison): Happened[] {
  const keys = new Set(known.map(({ semanticKey }) => semanticKey));
  const others = known.map((event) => ({ event, likeness: likenessOf(event), isTaken: false }));
  const isKnown = (one: Happened): boolean => {
    // guard: reconciler: what is known is not told again
    if (keys.has(one.event.semanticKey)) return true;
    const like = others.find(({ event, likeness, isTaken }) => !isTaken && isLike(one, event, likeness));
    if (like === undefined) return false;
    // Each known event stands for one happening.
    like.isTaken = true;
    return true;
  };
  return happened.flatMap((one) => {
    if (!isKnown(one)) return [{ ...one, event: completed(one, known, editorsMayWake) }];
    const edit = one.editedSince;
    // guard: reconciler: an edit soon after the text was told
    if (edit === undefined || saysTheSame(edit.event, known) || isKnown(edit)) return [];
    return [{ ...edit, event: completed(edit, known, editorsMayWake) }];
  });
}

/** Whether a comment was told with this text last. */
function saysTheSame({ comment }: ForgeEvent, known: readonly ForgeEvent[]): boolean {
  return comment !== null && lastTold(comment.id, known)?.comment?.body === comment.body;
}

function lastTold(commentId: number, known: readonly ForgeEvent[]): ForgeEvent | undefined {
  return known
    .filter(({ comment, name }) => comment?.id === commentId && name !== 'comment.deleted')
    .sort((a, b) => Date.parse(a.occurredAt) - Date.parse(b.occurredAt))
    .at(-1);
}

function isLike({ event, likenesses }: Happened, known: ForgeEvent, likeness: string | null): boolean {
  if (likeness === null || known.name !== event.name) return false;
  const saidAt = Date.parse(known.occurredAt);
  const looks = [{ likeness: likenessOf(event), at: event.occurredAt }, ...likenesses];
  return looks.some(
    (look) => look.likeness === likeness && isNear(known.name, { saidAt, at: Date.parse(look.at) }),
  );
}

function completed(one: Happened, known: readonly ForgeEvent[], editorsMayWake: boolean): ForgeEvent {
  const event = withNewMentions(one.event, known);
  // guard: reconciler: an edit by nobody knows whom
  return one.isSenderAssumed === true && !editorsMayWake ? { ...event, sender: SOMEBODY } : event;
}

/** Of an edited comment: those whom the text of before did not mention. Where that is not known, nobody is new. */
function withNewMentions(event: ForgeEvent, known: readonly ForgeEvent[]): ForgeEvent {
  if (event.name !== 'comment.edited') return event;
  const before = lastTold(event.comment!.id, known);
  if (before === undefined) return { ...event, mentions: [] };
  const old = new Set(findMentions(before.comment!.body));
  return { ...event, mentions: event.mentions.filter((login) => !old.has(login)) };
}
