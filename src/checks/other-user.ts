/** A check as another user than the service would judge rights nobody else has, and leave files the service cannot use. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SmokeCheck } from './smoke-report.ts';

/** By the file the service makes at its first start; null where it is ours, or there was none yet. */
export async function anotherUser(state: string): Promise<SmokeCheck | null> {
  const made = await stat(join(state, 'instance')).catch(() => null);
  const uid = process.getuid?.() ?? null;
  if (made === null || uid === null || made.uid === uid) return null;
  return {
    agent: null,
    check: 'run',
    state: 'failed',
    detail: `the service runs as uid ${made.uid}, this check as uid ${uid}: its containers were not tried`,
    remedy: `Run it as the user of the service, as with sudo -u '#${made.uid}'.`,
  };
}
