/** What a skill is given, made of plain events and texts as the worker makes it. */
import type { PromptForm } from '../../src/agent-runner/run.ts';
import type { Words } from '../../src/config/words.ts';
import { chooseTexts } from '../../src/dispatch/converse/chosen.ts';
import { wordsOfPrompt } from '../../src/dispatch/converse/prompt-words.ts';
import type { PromptMaterial } from '../../src/dispatch/converse/prompts.ts';
import { promptContext } from '../../src/dispatch/converse/prompts.ts';
import type { CarriedMessage } from '../../src/dispatch/gather/messages.ts';
import type { DispatchContext } from '../../src/dispatch/screen/context.ts';
import { type ItemText, screenTexts } from '../../src/dispatch/screen/pinned-text.ts';
import type { Snapshot } from '../../src/flows/changes.ts';
import type { PromptContext } from '../../src/flows/prompt.ts';
import type { Comment, InlineComment, Item, Review } from '../../src/forges/forge.ts';
import type { ForgeEvent } from '../../src/vocabulary.ts';
import { EVERYBODY, type Vouching } from '../../src/voices.ts';

export interface Told {
  comments?: readonly Comment[];
  reviews?: readonly Review[];
  /** instead of the one event */
  events?: readonly ForgeEvent[];
  vouching?: Vouching;
  seen?: Snapshot | null;
  branch?: string | null;
}

export function messageOf(event: ForgeEvent): CarriedMessage {
  return { id: 'm1', deliveryId: 'd1', event, with: {}, flow: 'any', skill: 's', priority: 0, receivedAt: 1 };
}

/** `event` is the one whose skill makes the prompt. */
export function materialOf(event: ForgeEvent, told: Told = {}): PromptMaterial {
  const messages = (told.events ?? [event]).map((one, n) => ({ ...messageOf(one), id: `m${n}` }));
  const item = { ...event.item!, updatedAt: '2026-01-01T00:00:00Z', pull: null } as Item;
  const text = screenTexts({
    item: event.pull === null ? item : { ...item, pull: { ...event.pull, htmlUrl: '' } },
    comments: told.comments ?? [],
    reviews: told.reviews ?? [],
    messages,
    vouching: told.vouching ?? EVERYBODY,
    edits: { events: [], incomplete: false },
    isOurs: () => false,
  });
  const context = {
    ...text,
    messages,
    elsewhere: [],
    leading: messages.find((message) => message.event === event) ?? messageOf(event),
    snapshot: told.seen,
    repository: event.repository,
    checkout: { branch: told.branch === undefined ? 'dev/12' : told.branch, notes: [] },
  } as unknown as DispatchContext;
  return {
    context,
    agent: { name: 'dev' } as PromptMaterial['agent'],
    login: 'dev-bot',
    skills: new Map(),
    conversation: { exists: true, dispatches: 1, branch: null, itemNumber: item.number },
    seen: told.seen ?? null,
    // Cut and cleaned elsewhere.
    texts: { body: (text) => text, removedFrom: () => null },
  };
}

/** In the full form, unless `changes` are given: then as the short form has them. */
export function promptContextOf(event: ForgeEvent, told: Told & { changes?: string[] } = {}): PromptContext {
  return { ...shownTo(materialOf(event, told), 'full'), changes: told.changes ?? [] };
}

export function shownTo(
  material: PromptMaterial,
  form: PromptForm,
  printed: (words: Words) => void = () => {},
): PromptContext {
  return promptContext(material, chooseTexts(material, form), printed);
}

/** Whose words of those nobody vouches for a prompt of these texts holds. */
export function strangersIn(
  { item, comments, reviews, vouching }: Pick<ItemText, 'item' | 'comments' | 'reviews' | 'vouching'>,
  messages: CarriedMessage[] = [],
): string[] {
  const chosen = reviews.map((review) => ({
    ...review,
    known: false,
    inline: review.inline.map((one) => ({ ...one, before: null, replyTo: null })),
  }));
  const spoken = wordsOfPrompt({ item, comments, reviews: chosen, messages }, { checkedOut: null });
  const strangers = spoken.filter(
    ({ author, text }) => text.trim() !== '' && (author.id === null || !vouching.ids.has(author.id)),
  );
  return [...new Set(strangers.map(({ author }) => author.login))];
}

export function inlineOf(
  partial: Partial<InlineComment> & Pick<InlineComment, 'id' | 'author'>,
): InlineComment {
  const time = '2026-01-02T00:00:00Z';
  const { line = 4, ...rest } = partial;
  return { path: 'src/sum.ts', line, oldLine: null, body: 'x', createdAt: time, updatedAt: time, ...rest };
}
