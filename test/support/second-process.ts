/**
 * Another process at the same database, driven by tests: `node second-process.ts <command> <url> …`. It says on its
 * output how far it has come.
 *
 * - `migrate <url>`: prints what it applied, as JSON
 * - `accept <url> <delivery id> <hold ms>`: accepts a delivery in a transaction that stays open for that long; prints
 *   `trying`, `holding`, `done`
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate, openDatabase } from '../../src/database/database.ts';
import { acceptDelivery } from '../../src/inbox.ts';

const [command, url, deliveryId = '', holdMs = '0'] = process.argv.slice(2);
const database = openDatabase({ url: url! });
if (command === 'migrate') {
  process.stdout.write(JSON.stringify((await migrate(database)).applied));
} else {
  process.stdout.write('trying\n');
  await database.transaction(async (tx) => {
    await acceptDelivery(tx, {
      forge: 'home',
      forgeDeliveryId: deliveryId,
      source: 'webhook',
      headers: {},
      body: new Uint8Array(),
      now: 0,
    });
    process.stdout.write('holding\n');
    await sleep(Number(holdMs));
  });
  process.stdout.write('done\n');
}
await database.close();
