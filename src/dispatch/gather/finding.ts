/** What the comparison of one message with the forge found. */
import { createHash } from 'node:crypto';
import type { ForgeEvent } from '../../vocabulary.ts';

export type Finding =
  | {
      kind: 'there';
      /** with the forge's words in place of the delivery's */
      event: ForgeEvent;
      /** names the happening by what the forge has of it, so that it wakes an agent once; null = it has no such name */
      proof: string | null;
      /** a sentence for the agent */
      note: string | null;
    }
  /** it was so, and is no longer */
  | { kind: 'changed'; reason: string }
  /** the forge knows nothing of it */
  | { kind: 'unknown'; reason: string };

export function there(event: ForgeEvent, proof: string | null, note: string | null = null): Finding {
  return { kind: 'there', event, proof, note };
}

export function changed(reason: string): Finding {
  return { kind: 'changed', reason };
}

/** `what`: a clause that says what the forge has instead. */
export function unknown(what: string): Finding {
  return { kind: 'unknown', reason: `not on the forge: ${what}` };
}

/** Forges stamp whole seconds, and an act may take until the next one. */
export const SECOND_MS = 1000;

export function textHash(...texts: string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 32);
}
