/**
 * A replay is a new delivery with old bytes, or with an event that was read from a file: it is stored like any other, and
 * the running service routes it.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { ForgeConfig } from './config/config.ts';
import { loadConfig } from './config/load.ts';
import type { Database } from './database/database.ts';
import { openExisting } from './database/opening.ts';
import type { DeliveryRow } from './database/tables.ts';
import { NotFound } from './errors.ts';
import { kitOf } from './forges/registry.ts';
import { eventOf } from './inbox/events.ts';
import { acceptPieces, allPiecesOf } from './inbox/pieces.ts';
import { type DeliveryResult, findDelivery, settleDelivery } from './inbox.ts';
import { readPayload } from './router/read-delivery.ts';
import type { ForgeEvent } from './vocabulary.ts';

export interface ReplayRequest {
  /** a delivery's id (or the beginning of it), or a file with a JSON payload */
  what: string;
  forge?: string;
  /** what the forge calls the event, in its fine header where it has one */
  event?: string;
}

export async function replay(
  configFile: string,
  env: Record<string, string | undefined>,
  request: ReplayRequest,
): Promise<{ delivery: string; replayOf: string | null }> {
  const config = loadConfig({ file: configFile, env });
  const database = await openExisting({ url: config.database.url, readOnly: false });
  try {
    const stored = await findDelivery(database.rows, request.what);
    const again =
      stored === undefined ? fromFile(request, config.forges) : await fromStored(database, stored);
    const { result, ...delivery } = again;
    const now = Date.now();
    const accepted = await acceptPieces(database, {
      ...delivery,
      forgeDeliveryId: `replay-${randomUUID()}`,
      source: 'replay',
      now,
    });
    if (result !== null) await end(database, { id: accepted.id, result, now });
    return { delivery: accepted.id, replayOf: stored?.id ?? null };
  } finally {
    await database.close();
  }
}

interface Again {
  forge: string;
  headers: Record<string, string>;
  pieces: Uint8Array[];
  /** whose secret signed it, as in `deliveries.signed_for` */
  scope: string | null;
  /** what it tells; null = the service reads it from headers and bytes */
  event: ForgeEvent | null;
  /** what became of it, where it tells nothing; null = the service decides */
  result: DeliveryResult | null;
}

async function fromStored(database: Database, stored: DeliveryRow): Promise<Again> {
  if (stored.source === 'look') throw new NotFound(NO_DELIVERY);
  if (stored.source === 'said' || stored.source === 'timer') throw new NotFound(NO_FORGES);
  const headers = JSON.parse(stored.headers) as Record<string, string>;
  const isFromFile = Object.keys(headers).length === 0;
  const event = isFromFile ? await eventOf(database.rows, stored) : null;
  if (isFromFile && event === null) throw new NotFound(NO_EVENT);
  const pieces = await allPiecesOf(database.rows, stored);
  // It counts for as much as it did at first.
  // guard: secret of a repository: replay
  const scope = stored.signed_for;
  return { forge: stored.forge, headers, pieces, scope, event, result: null };
}

const NO_DELIVERY =
  'This is no delivery of a forge: the service asked itself about the CI of a new pull request. Replay a delivery of the CI, or write to the agent.';
const NO_FORGES =
  'This is no delivery of a forge: somebody spoke to the conversation, or a timer was due. Use `claude-hooks say` to say it again.';
const NO_EVENT =
  'This came from a file that tells no event; `claude-hooks explain` says why. Correct the file, and replay it by its path.';

function fromFile(request: ReplayRequest, forges: Readonly<Record<string, ForgeConfig>>): Again {
  if (statSync(request.what, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new NotFound(
      `${request.what} is neither a stored delivery nor a file. \`claude-hooks deliveries\` lists what arrived, \`claude-hooks explain owner/name#12\` what arrived about an item.`,
    );
  }
  const names = Object.keys(forges);
  const name = request.forge ?? (names.length === 1 ? names[0]! : '');
  if (!Object.hasOwn(forges, name)) {
    throw new NotFound(`A payload from a file needs its forge. Give --forge ${names.join(' or --forge ')}.`);
  }
  const { event, eventType, example } = kitOf(forges[name]!.kind).headers;
  if (request.event === undefined) {
    throw new NotFound(
      `A payload from a file needs its event. Give --event with the value of ${eventType ?? event}, for example ${example}.`,
    );
  }
  const body = readFileSync(request.what);
  const read = readPayload(forges[name]!, request.event, body);
  // It is the operator's own word, and counts for every repository.
  const file = { forge: name, headers: {}, pieces: [body], scope: '*' };
  return 'event' in read
    ? { ...file, event: read.event, result: null }
    : { ...file, event: null, result: read.result };
}

/** A file that tells no event is kept like any delivery, and `explain` says what is wrong with it. */
async function end(
  database: Database,
  { id, result, now }: { id: string; result: DeliveryResult; now: number },
): Promise<void> {
  const nothing = { eventName: null, eventId: null, decision: null, about: null };
  await settleDelivery(database.rows, { id, result, ...nothing, now });
}
