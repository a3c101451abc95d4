/**
 * Looks: questions that the service asks itself, stored like deliveries so that they are asked once, also after a crash,
 * and `explain` shows what came of them. One asks whether CI of a new pull request has failed already: CI that failed before
 * there was a pull request may have been told to nobody. The other asks what a pull request needs after something else
 * happened, such as the merge of another one: what CI says of it is told again.
 */
import type { Rows } from '../database/database.ts';
import type { DeliveryRow } from '../database/tables.ts';
import { acceptDelivery } from '../inbox.ts';
import type { RepositoryRef } from '../vocabulary.ts';

export interface Look {
  repository: RepositoryRef;
  /** of the pull request */
  number: number;
  /** CI is told whatever it says */
  isAgain?: true;
}

/** `cause`: our own id of what made it worth asking; the same one asks once. */
export async function planLook(
  rows: Rows,
  { forge, cause, now, dueAt, ...look }: Look & { forge: string; cause: string; now: number; dueAt?: number },
): Promise<void> {
  await acceptDelivery(rows, {
    forge,
    forgeDeliveryId: `look-${cause}-${look.number}`,
    source: 'look',
    headers: {},
    body: Buffer.from(JSON.stringify(look)),
    // Nobody signed it: it is our own word, and holds for every repository.
    scope: '*',
    now,
    ...(dueAt === undefined ? {} : { dueAt }),
  });
}

export function lookOf({ body }: Pick<DeliveryRow, 'body'>): Look {
  return JSON.parse(Buffer.from(body).toString()) as Look;
}
