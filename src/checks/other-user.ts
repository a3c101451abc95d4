/** Smoke does not run as another user than the service: it would test the wrong rights, and leave files the service cannot use. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from './check.ts';

/** Compares with the owner of a file that the service makes at its first start. null: the same user, or no start yet. */
export async function anotherUser(state: string): Promise<Check<'run'> | null> {
  const made = await stat(join(state, 'instance')).catch(() => null);
  const uid = process.getuid?.() ?? null;
  if (made === null || uid === null || made.uid === uid) return null;
  return {
    check: 'run',
    severity: 'broken',
    subject: state,
    problem: 'the containers were not tried',
    evidence: `the service runs as uid ${made.uid}, this check as uid ${uid}`,
    remedy: `Run it as the user of the service, as with sudo -u '#${made.uid}'.`,
  };
}
