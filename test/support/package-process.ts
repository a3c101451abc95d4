/** Stores files in a package cache in a process of its own, which may be killed at a fault point or have a small disk. */
import { armFault, parseFault } from '../../src/faults.ts';
import { silentLog } from '../../src/log.ts';
import { PackageCache } from '../../src/packages/cache.ts';

const [folder = '', fault = '', ...sizes] = process.argv.slice(2);
if (fault !== '') armFault(parseFault(fault));
const cache = await PackageCache.open({ folder, maxBytes: 2 ** 40, log: silentLog });
for (const size of sizes) {
  try {
    const stored = await cache.store(`key ${size}`, bodyOf(Number(size)), async () => []);
    await stored.handle.close();
    console.log(`stored ${size}`);
  } catch (error) {
    console.log(`${(error as { verdict?: string }).verdict} ${size}`);
  }
}

async function* bodyOf(size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; at += 1000) yield Buffer.alloc(Math.min(1000, size - at), 97 + size / 1000);
}
