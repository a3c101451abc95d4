/** An event from what a kit read: empty where it says nothing, with short texts, and with the key that tells it apart. */
import { createHash } from 'node:crypto';
import type { EventRepository, ForgeEvent, ForgeUser } from '../vocabulary.ts';
import { limitEvent } from './event-limits.ts';

export interface Happening {
  name: ForgeEvent['name'];
  /** the configured name of the forge */
  forge: string;
  repository: EventRepository;
  sender: ForgeUser;
  /** kind and id of the object it happened to, e.g. `issue:12` */
  object: string;
  /**
   * What tells this happening from another one of the same name on the same object. Never anything that differs
   * between two hooks or two deliveries of one happening, such as a delivery id or `repository.permissions`.
   */
  discriminators: readonly (string | number)[];
  /** the fields this event has beyond the ones every event has */
  about: Partial<Omit<ForgeEvent, 'name' | 'forge' | 'repository' | 'sender' | 'semanticKey'>>;
}

export function newEvent(happening: Happening): { event: ForgeEvent } | { problem: string } {
  const { name, forge, repository, sender, object, discriminators, about } = happening;
  return limitEvent({
    name,
    forge,
    repository,
    sender,
    item: null,
    pull: null,
    comment: null,
    review: null,
    ci: null,
    push: null,
    requestedReviewer: null,
    mentions: [],
    added: { assignees: [], labels: [] },
    occurredAt: '',
    ...about,
    semanticKey: `${repository.id}:${name}:${object}:${hash(discriminators)}`,
  });
}

/** The semantic key that the deletion of this event's comment has, or will have; null when it is about no comment. */
export function deletionKey({ repository, comment }: ForgeEvent): string | null {
  return comment === null ? null : `${repository.id}:comment.deleted:comment:${comment.id}:${hash([])}`;
}

/** 128 bits in hex: long enough that two happenings never meet, short enough for an index. */
export function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
}
