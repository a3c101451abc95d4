import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts';
import { acceptPieces, allPiecesOf, type NewPieces, SMALL_BODY_BYTES, sweepPieces } from './pieces.ts';

const NOW = 1_800_000_000_000;
const LATER = NOW + 3_600_000;

/** Every byte differs from its neighbours, so that an exchanged or missing piece is seen. */
function bytes(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, n) => (n * 31 + (n >> 8)) & 0xff));
}

function delivery(forgeDeliveryId: string, body: Buffer): NewPieces {
  const pieces: Uint8Array[] = [];
  // As a socket gives them: of any size.
  for (let at = 0, size = 40; at < body.length; at += size, size = (size * 7) % 65_537 || 1) {
    pieces.push(body.subarray(at, at + size));
  }
  return {
    forge: 'home',
    forgeDeliveryId,
    source: 'webhook',
    scope: null,
    headers: { 'x-forgejo-event': 'issues' },
    pieces,
    now: NOW,
  };
}

const rowsOf = ({ rows }: TestDatabase) => rows.selectFrom('deliveries').selectAll().orderBy('seq').execute();
const piecesIn = ({ rows }: TestDatabase) =>
  rows.selectFrom('delivery_pieces').select(['delivery_id', 'ordinal']).execute();

describeDatabases('a body', (open) => {
  test.each([1, SMALL_BODY_BYTES, SMALL_BODY_BYTES + 1, 1_000_003])(
    'of %i bytes is kept byte for byte',
    async (length) => {
      const database = await open();
      const body = bytes(length);
      expect(await acceptPieces(database, delivery('d', body))).toMatchObject({ kind: 'accepted' });
      const [row] = await rowsOf(database);
      expect(Buffer.concat(await allPiecesOf(database.rows, row!)).equals(body)).toBe(true);
      const inPieces = length > SMALL_BODY_BYTES;
      expect((await piecesIn(database)).length > 0).toBe(inPieces);
      expect(row!.body.length).toBe(inPieces ? 0 : length);
    },
  );

  test('that is sent again leaves one row and its pieces, also when both come at once', async () => {
    const database = await open();
    const body = bytes(300_000);
    const [one, two] = await Promise.all([
      acceptPieces(database, delivery('same', body)),
      acceptPieces(database, delivery('same', body)),
    ]);
    const three = await acceptPieces(database, delivery('same', body));
    expect(new Set([one.id, two.id, three.id]).size).toBe(1);
    expect([one.kind, two.kind].sort()).toEqual(['accepted', 'repeated']);
    expect(three.kind).toBe('repeated');
    const owners = new Set((await piecesIn(database)).map((piece) => piece.delivery_id));
    expect([...owners]).toEqual([one.id]);
  });

  test('that lost a piece on the way is not acknowledged, and leaves nothing', async () => {
    const database = await open();
    const body = delivery('d', bytes(3_000_000));
    const storing = acceptPieces(database, body);
    // As a sweep that takes this body for an abandoned one would do it.
    const taken = (async () => {
      for (;;) {
        const { numDeletedRows } = await database.rows
          .deleteFrom('delivery_pieces')
          .where('ordinal', '=', 1)
          .executeTakeFirstOrThrow();
        if (numDeletedRows > 0n) return;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await expect(storing).rejects.toThrow(
      /Of the \d+ pieces of delivery .* only \d+ are stored\. Send it again\./,
    );
    await taken;
    expect(await rowsOf(database)).toEqual([]);
    expect(await piecesIn(database)).toEqual([]);
  });

  test('of a delivery that nobody acknowledged is swept; every other one stays', async () => {
    const database = await open();
    await acceptPieces(database, delivery('kept', bytes(200_000)));
    const kept = await piecesIn(database);
    const orphan = { delivery_id: 'orphan', ordinal: 0, stored_at: NOW, bytes: bytes(10) };
    await database.rows.insertInto('delivery_pieces').values(orphan).execute();
    expect(await sweepPieces(database, LATER)).toBe(1);
    expect(await piecesIn(database)).toEqual(kept);
    expect(await sweepPieces(database, LATER)).toBe(0);
  });
});

describeDatabases('a process that is killed between the pieces and the row', (open) => {
  test('leaves pieces without a row, and the next start has room again', async () => {
    const database = await open();
    const child = fork(
      fileURLToPath(new URL('../../test/support/pieces-process.ts', import.meta.url)),
      [database.url],
      {
        stdio: 'ignore',
      },
    );
    const [, signal] = await once(child, 'exit');
    expect(signal).toBe('SIGKILL');
    expect(await rowsOf(database)).toEqual([]);
    expect((await piecesIn(database)).length).toBeGreaterThan(2);
    expect(await sweepPieces(database, LATER)).toBe(1);
    expect(await piecesIn(database)).toEqual([]);
    // The forge's person sends it again.
    expect(await acceptPieces(database, delivery('killed', bytes(300_000)))).toMatchObject({
      kind: 'accepted',
    });
  });
});
