/** How a parsed delivery becomes an outcome: the one place that fills a ForgeEvent and computes its semantic key. */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { ForgeEvent, ForgeUser } from '../../vocabulary.ts';
import { limitEvent } from '../event-limits.ts';
import type { DeliveryHeaders, ParseOutcome } from '../forge.ts';
import { toRepository, toUser } from './objects.ts';
import type { RepositoryObject } from './payloads.ts';

export interface Arrival {
  /** the configured name of the forge */
  forge: string;
  headers: DeliveryHeaders;
}

export type Handler = (arrival: Arrival, body: unknown) => ParseOutcome;

/** A handler for bodies of one shape; another shape is `malformed` with the first field that is wrong. */
export function reading<S extends z.ZodType>(
  shape: S,
  make: (payload: z.output<S>, arrival: Arrival) => ParseOutcome,
): Handler {
  return (arrival, body) => {
    const read = shape.safeParse(body);
    if (read.success) return make(read.data, arrival);
    const issue = read.error.issues[0];
    const where = issue === undefined || issue.path.length === 0 ? 'the body' : issue.path.join('.');
    return malformed(arrival, `${where}: ${issue?.message ?? 'not as expected'}`);
  };
}

export function malformed(arrival: Arrival, problem: string): ParseOutcome {
  const error =
    `A ${arrival.headers.eventType.slice(0, 80)} delivery of ${arrival.headers.kind} cannot be read: ${problem.slice(0, LONGEST_REASON)}. ` +
    'If no proxy changed the body, report it together with the version of the forge.';
  return { kind: 'malformed', error };
}

/** Reasons quote the body. */
const LONGEST_REASON = 500;

export function ignored(reason: string): ParseOutcome {
  return { kind: 'ignored', reason: reason.slice(0, LONGEST_REASON) };
}

export interface Happening {
  name: ForgeEvent['name'];
  repository: RepositoryObject;
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

export function event(arrival: Arrival, happening: Happening): ParseOutcome {
  const { name, repository, sender, object, discriminators, about } = happening;
  const limited = limitEvent({
    name,
    forge: arrival.forge,
    repository: toRepository(repository),
    sender: toUser(sender),
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
  return 'problem' in limited ? malformed(arrival, limited.problem) : { kind: 'event', event: limited.event };
}

/** The semantic key that the deletion of this event's comment has, or will have; null when it is about no comment. */
export function deletionKey({ repository, comment }: ForgeEvent): string | null {
  return comment === null ? null : `${repository.id}:comment.deleted:comment:${comment.id}:${hash([])}`;
}

/** 128 bits in hex: long enough that two happenings never meet, short enough for an index. */
export function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
}
