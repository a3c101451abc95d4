/** A replay is a new delivery with old bytes: it is stored like any other, and the running service routes it. */
import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { loadConfig } from './config/load.ts';
import { openExisting } from './database/opening.ts';
import { NotFound } from './errors.ts';
import { acceptPieces, allPiecesOf } from './inbox/pieces.ts';
import { findDelivery } from './inbox.ts';

export interface ReplayRequest {
  /** a delivery's id (or the beginning of it), or a file with a JSON payload */
  what: string;
  forge?: string;
  /** the fine event name, as in X-Forgejo-Event-Type */
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
    if (stored?.source === 'look') throw new NotFound(NO_DELIVERY);
    const source = stored === undefined ? fromFile(request, Object.keys(config.forges)) : null;
    const accepted = await acceptPieces(database, {
      forge: stored?.forge ?? source!.forge,
      forgeDeliveryId: `replay-${randomUUID()}`,
      source: 'replay',
      headers:
        stored === undefined ? source!.headers : (JSON.parse(stored.headers) as Record<string, string>),
      pieces: stored === undefined ? [source!.body] : await allPiecesOf(database.rows, stored),
      // It counts for as much as it did at first. From a file it is the operator's own word.
      // guard: secret of a repository: replay
      scope: stored === undefined ? '*' : stored.signed_for,
      now: Date.now(),
    });
    return { delivery: accepted.id, replayOf: stored?.id ?? null };
  } finally {
    await database.close();
  }
}

const NO_DELIVERY =
  'This is no delivery of a forge: the service asked itself about the CI of a new pull request. Replay a delivery of the CI, or write to the agent.';

function fromFile(request: ReplayRequest, forges: string[]) {
  if (statSync(request.what, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new NotFound(
      `${request.what} is neither a stored delivery nor a file. \`claude-hooks deliveries\` lists what arrived, \`claude-hooks explain owner/name#12\` what arrived about an item.`,
    );
  }
  const forge = request.forge ?? (forges.length === 1 ? forges[0]! : '');
  if (!forges.includes(forge)) {
    throw new NotFound(`A payload from a file needs its forge. Give --forge ${forges.join(' or --forge ')}.`);
  }
  if (request.event === undefined) {
    throw new NotFound(
      'A payload from a file needs its event. Give --event with the value of X-Forgejo-Event-Type, for example issue_assign.',
    );
  }
  return {
    forge,
    body: readFileSync(request.what),
    headers: {
      'content-type': 'application/json',
      'x-forgejo-delivery': randomUUID(),
      'x-forgejo-event': request.event,
      'x-forgejo-event-type': request.event,
    },
  };
}
