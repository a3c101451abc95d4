/** Which texts each form of the prompt shows. Labels and the length limit come later. Pure. */
import type { PromptForm } from '../../agent-runner/run.ts';
import type { Snapshot } from '../../flows/changes.ts';
import type { InlineComment } from '../../forges/forge.ts';
import { sameLogin } from '../../logins.ts';
import { beginningOf } from '../../text-limits.ts';
import type { ForgeEvent, ForgeUser } from '../../vocabulary.ts';
import type { CarriedMessage } from '../gather/messages.ts';
import type { DispatchContext } from '../screen/context.ts';
import type { Screened, ScreenedReview } from '../screen/pinned-text.ts';
import type { ShownTexts } from './prompt-budget.ts';

export interface ChosenInline extends Screened<InlineComment> {
  /** the one before it in its thread */
  before: Screened<InlineComment> | null;
  /** the first words of that, where it does not stand right above */
  replyTo: Screened<InlineComment> | null;
}

export interface ChosenReview extends Omit<ScreenedReview, 'inline'> {
  /** it is only here because somebody replied in it since */
  known: boolean;
  inline: ChosenInline[];
}

export interface ChosenTexts {
  item: DispatchContext['item'];
  comments: DispatchContext['comments'];
  reviews: ChosenReview[];
  messages: CarriedMessage[];
  /** the event whose skill makes the prompt */
  leading: ForgeEvent;
}

interface Choice {
  context: DispatchContext;
  texts: ShownTexts;
  login: string;
  seen: Snapshot | null;
}

export function chooseTexts({ context, texts, login, seen }: Choice, form: PromptForm): ChosenTexts {
  const known = form === 'full' ? null : seen;
  const shownIds = new Set(known?.commentIds ?? []);
  // A session that goes on has the agent's own comments already: they are its answers.
  const isOwn = ({ login: theirs }: ForgeUser) => form === 'short' && sameLogin(theirs, login);
  return {
    item: { ...context.item, body: texts.body(context.item.body) },
    comments: context.comments
      .filter((c) => !shownIds.has(c.id) && !isOwn(c.author))
      .map((c) => ({ ...c, body: texts.body(c.body) })),
    reviews: chooseReviews({ context, texts, known, isOwn }),
    // guard: trust: texts of events cleaned
    messages: context.messages.map((m) => ({ ...m, event: shownEvent(m.event, texts) })),
    leading: shownEvent(context.leading!.event, texts),
  };
}

/** An event carries the texts it is about, and skills may print those as well. */
function shownEvent(event: ForgeEvent, texts: ShownTexts): ForgeEvent {
  const { item, comment, review } = event;
  return {
    ...event,
    item: item === null ? null : { ...item, body: texts.body(item.body) },
    comment: comment === null ? null : { ...comment, body: texts.body(comment.body) },
    review: review === null ? null : { ...review, body: texts.body(review.body) },
  };
}

interface ReviewChoice {
  context: DispatchContext;
  texts: ShownTexts;
  known: Snapshot | null;
  isOwn: (user: ForgeUser) => boolean;
}

/** Known remarks are left out, except one that a new remark replies to; in the agent's own reviews as well. */
function chooseReviews({ context, texts, known, isOwn }: ReviewChoice): ChosenReview[] {
  const knownReviews = new Set(known?.reviews.map((r) => r.id) ?? []);
  const knownInline = new Set(known?.inlineIds ?? []);
  // A row of an older release does not say which remarks it showed: those of reviews it knew.
  const isTold = known === null || known.inlineIds !== undefined;
  return context.reviews.flatMap((review) => {
    const isKnown = isOwn(review.author) || knownReviews.has(review.id);
    const inline = isKnown
      ? review.inline.filter((c) => isTold && !isOwn(c.author) && !knownInline.has(c.id))
      : review.inline;
    if (isKnown && inline.length === 0) return [];
    const body = isKnown ? '' : texts.body(review.body);
    return [{ ...review, known: isKnown, body, inline: threaded(review.inline, inline, texts) }];
  });
}

const LONGEST_REPLIED_TO = 400;

/** Replies have path, line and review of the remark that began the thread; ids rise. */
function threaded(
  all: readonly Screened<InlineComment>[],
  chosen: readonly Screened<InlineComment>[],
  texts: ShownTexts,
): ChosenInline[] {
  const before = new Map<number, Screened<InlineComment>>();
  const last = new Map<string, Screened<InlineComment>>();
  for (const remark of all) {
    const thread = JSON.stringify([remark.path, remark.line, remark.oldLine]);
    const previous = last.get(thread);
    if (previous !== undefined) before.set(remark.id, previous);
    last.set(thread, remark);
  }
  return chosen.map((remark, index) => {
    const previous = before.get(remark.id) ?? null;
    const isAbove = previous !== null && chosen[index - 1]?.id === previous.id;
    return {
      ...remark,
      body: texts.body(remark.body),
      before: previous,
      replyTo: previous === null || isAbove ? null : { ...previous, body: firstWords(previous.body, texts) },
    };
  });
}

function firstWords(body: string, texts: ShownTexts): string {
  const whole = texts.body(body);
  const first = beginningOf(whole, LONGEST_REPLIED_TO);
  return first.length < whole.length ? `${first}…` : whole;
}
