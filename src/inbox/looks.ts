/**
 * Looks: questions that the service asks itself, stored like deliveries so that they are asked once, also after a crash,
 * and `explain` shows what came of them. The only one asks whether CI of a new pull request has failed already: CI that
 * failed before there was a pull request may have been told to nobody.
 */
import type { Rows } from '../database/database.ts';
import type { DeliveryRow } from '../database/tables.ts';
import { acceptDelivery } from '../inbox.ts';
import type { RepositoryRef } from '../vocabulary.ts';

export interface Look {
  repository: RepositoryRef;
  /** of the pull request */
  number: number;
}

/** `cause`: our own id of what made it worth asking; the same one asks once. */
export async function planLook(
  rows: Rows,
  { forge, cause, now, ...look }: Look & { forge: string; cause: string; now: number },
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
  });
}

export function lookOf({ body }: Pick<DeliveryRow, 'body'>): Look {
  return JSON.parse(Buffer.from(body).toString()) as Look;
}
