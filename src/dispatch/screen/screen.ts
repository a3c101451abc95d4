/** The second step: what of the forge's texts a run may read, and whose words they are. */
import { isAccountOf } from '../../trust/sender.ts';
import { type ForgeUser, isOwnEvent, PERMISSIONS } from '../../vocabulary.ts';
import { EVERYBODY, voiceOf } from '../../voices.ts';
import type { DispatchDeps } from '../dispatch.ts';
import type { Gathered } from '../gather/gather.ts';
import { type CarriedMessage, leadingOf } from '../gather/messages.ts';
import { withForgeText } from '../gather/on-the-forge.ts';
import type { Found } from '../gather/read-item.ts';
import { snapshotOf } from '../gather/snapshot.ts';
import { isSelf } from '../own-account.ts';
import { seenOf } from '../seen-items.ts';
import type { ItemShown, Prepared } from './context.ts';
import { type ToldEdits, toldEdits } from './edits.ts';
import { type ItemText, itemVoices, type Screened, screenTexts } from './pinned-text.ts';
import { untrustedAuthors } from './senders.ts';

type ScreenDeps = Pick<DispatchDeps, 'database' | 'trust'>;

/** Strangers' later words are left out, and all others get their voices. */
export async function screen(dispatch: Gathered, deps: ScreenDeps): Promise<Prepared> {
  const main = await screened(dispatch, deps, { found: dispatch.found, messages: dispatch.messages });
  let { messages } = main;
  const elsewhere: ItemShown[] = [];
  for (const found of dispatch.others) {
    const text = await screened(dispatch, deps, { found, messages });
    messages = text.messages;
    elsewhere.push(shownItem(dispatch, deps, { found, text }));
  }
  const text = { ...main, notes: [...main.notes, ...dispatch.notes] };
  return prepared(dispatch, {
    main: shownItem(dispatch, deps, { found: dispatch.found, text }),
    elsewhere,
    messages,
  });
}

/** For an answer that is there already: nobody reads the texts any more, so nobody is asked about them. */
export function unscreened(dispatch: Gathered, deps: ScreenDeps): Prepared {
  const { item, comments, reviews } = dispatch.found;
  const vouched = <T extends { author: ForgeUser }>(entry: T): Screened<T> => {
    const voice = voiceOf(EVERYBODY, { what: 'text', authors: [entry.author] });
    return { ...entry, trusted: voice.trusted, voice };
  };
  const text = {
    item: { ...vouched(item), ...itemVoices(item.author, NO_EDITS, EVERYBODY) },
    comments: comments.map(vouched),
    reviews: reviews.map((r) => ({ ...vouched(r), inline: r.inline.map(vouched) })),
    vouching: EVERYBODY,
    leftOut: [],
    notes: [],
  };
  const main = shownItem(dispatch, deps, { found: dispatch.found, text });
  return prepared(dispatch, { main, elsewhere: [], messages: dispatch.messages });
}

const NO_EDITS: ToldEdits = { events: [], incomplete: false };

function prepared(
  dispatch: Gathered,
  texts: { main: ItemShown; elsewhere: ItemShown[]; messages: CarriedMessage[] },
): Prepared {
  const { repository, place } = dispatch;
  const { main, elsewhere, messages } = texts;
  return {
    ...dispatch,
    messages,
    context: {
      ...main,
      messages,
      leading: leadingOf(messages),
      elsewhere,
      repository,
      checkout: place.checkout,
      checkedOut: place.checkedOut,
      branch: place.branch,
    },
  };
}

async function screened(
  { forge: { config }, repository }: Gathered,
  { database, trust }: ScreenDeps,
  { found, messages: carried }: { found: Found; messages: CarriedMessage[] },
): Promise<ItemText & { messages: CarriedMessage[] }> {
  const { item, comments, reviews } = found;
  const texts = { repositoryId: repository.id, item, comments, reviews };
  const edits = await toldEdits(database.rows, { ...texts, forge: config.name });
  const authors = [
    // Nobody on the forge has said what no forge tells.
    ...carried
      .filter(({ event }) => !isOwnEvent(event))
      .flatMap(({ event }) => [event.sender, ...(event.comment === null ? [] : [event.comment.author])]),
    ...reviews.toReversed().flatMap((r) => [r, ...r.inline.toReversed()].map((entry) => entry.author)),
    ...[...comments.toReversed(), item].map((entry) => entry.author),
    ...edits.events.map((e) => e.sender),
  ];
  const untrusted = await untrustedAuthors(authors, { forgeConfig: config, trust, repository });
  const ids = trust.ids(config);
  const { messages, notes } = withForgeText(carried, item, !untrusted.has(item.author.id));
  const text = screenTexts({
    item,
    comments,
    reviews,
    messages,
    edits,
    vouching: {
      ids: new Set(authors.map(({ id }) => id).filter((id) => !untrusted.has(id))),
      writers: PERMISSIONS.indexOf(config.requiredPermission) <= PERMISSIONS.indexOf('write'),
    },
    isOurs: (author) =>
      Object.keys(config.accounts).some((agent) => isAccountOf({ forge: config, ids, agent }, author)),
  });
  return { ...text, messages, notes: [...notes, ...text.notes] };
}

function shownItem(
  dispatch: Gathered,
  { trust }: ScreenDeps,
  { found, text }: { found: Found; text: ItemText },
): ItemShown {
  const { item, comments, reviews, vouching, notes } = text;
  const isOwn = isSelf(dispatch, trust);
  // What the agent wrote itself is no news to it.
  const byOthers = <T extends { author: ForgeUser }>(entries: T[]) => entries.filter((e) => !isOwn(e.author));
  const seen = seenOf(dispatch.lease.conversation.seen, item);
  const known = new Set(seen?.commentIds);
  const snapshot = snapshotOf(item, byOthers(comments), byOthers(reviews), found.ci);
  const inline = reviews.flatMap((r) => byOthers(r.inline));
  return {
    item,
    comments,
    reviews,
    vouching,
    notes,
    seen,
    // What was left out is new to the next run, unless an earlier one has read it.
    snapshot: {
      ...snapshot,
      inlineIds: inline.map((c) => c.id),
      commentIds: [...snapshot.commentIds, ...text.leftOut.filter((id) => known.has(id))],
    },
  };
}
