/** What is remembered of a description, so that an edit of which nothing was told is seen. Pure. */
import { findMentions } from '../mentions.ts';
import type { EventItem } from '../vocabulary.ts';
import type { SeenText } from './changes.ts';
import { eventText } from './event-limits.ts';
import { hash } from './new-event.ts';

/** Of the forge's whole text. */
export function textDigest(body: string): string {
  return hash(eventText(body));
}

/** Of an event, whose text has been cut already. */
export function seenTextOf({ body }: Pick<EventItem, 'body'>): SeenText {
  return { digest: hash(body), mentions: findMentions(body) };
}
