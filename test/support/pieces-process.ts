/** Stores a large body in the database it is given and is killed before the row is there. */
import { openDatabase } from '../../src/database/database.ts';
import { armFault, parseFault } from '../../src/faults.ts';
import { acceptPieces } from '../../src/inbox/pieces.ts';

armFault(parseFault('kill@webhook.pieces'));
await acceptPieces(openDatabase({ url: process.argv[2]! }), {
  forge: 'home',
  forgeDeliveryId: 'killed',
  source: 'webhook',
  scope: null,
  headers: {},
  pieces: [Buffer.alloc(300_000, 'a')],
  now: 1_800_000_000_000,
});
