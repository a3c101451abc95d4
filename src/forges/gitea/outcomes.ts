/** How a parsed delivery becomes an outcome. */
import type { z } from 'zod';
import type { DeliveryHeaders, ParseOutcome } from '../kit.ts';
import { type Happening, newEvent } from '../new-event.ts';
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

export interface GiteaHappening extends Omit<Happening, 'forge' | 'repository'> {
  repository: RepositoryObject;
}

export function event(arrival: Arrival, happening: GiteaHappening): ParseOutcome {
  const made = newEvent({
    ...happening,
    forge: arrival.forge,
    repository: toRepository(happening.repository),
    sender: toUser(happening.sender),
  });
  return 'problem' in made ? malformed(arrival, made.problem) : { kind: 'event', event: made.event };
}
