/** The thread of `read-apart.ts`: a large body in, the small event that it means out. */
import { parentPort } from 'node:worker_threads';
import { parseGiteaFamilyDelivery } from '../forge/gitea-family.ts';
import type { LargeDelivery } from './read-apart.ts';

parentPort!.on('message', ({ forge, headers, pieces }: LargeDelivery) => {
  parentPort!.postMessage(parseGiteaFamilyDelivery(forge, headers, Buffer.concat(pieces)));
});
