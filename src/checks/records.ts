/** What the database tells: its schema, refused credentials, holds, dispatches in trouble, CLI versions of sessions. */
import { statSync } from 'node:fs';
import { pendingMigrations } from '../database/database.ts';
import { PoolerRefuses } from '../database/postgres.ts';
import { credentialScope, currentHolds } from '../mailbox/holds.ts';
import { showTime } from '../terminal-text.ts';
import type { Check } from './check.ts';
import type { DoctorContext, Look } from './context.ts';
import { troubledDispatches } from './dispatches.ts';

const DAY_MS = 24 * 3600_000;

/** The first start of the service makes the SQLite file. Of PostgreSQL this cannot be told. */
export function isNotMadeYet(url: string): boolean {
  const file = /^sqlite:(.+)$/.exec(url)?.[1];
  return file !== undefined && isMissing(file);
}

/** A file that this user may not look at is not missing. */
function isMissing(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

export function notStartedYet(url: string): Check {
  return {
    check: 'not-started-yet',
    severity: 'note',
    subject: 'database',
    problem: 'the service has not been started yet, so there are no rows to look at',
    evidence: `${url.slice('sqlite:'.length)} is not there`,
    remedy: 'Start the service: it makes the database. If it ran before, correct state or database.url.',
  };
}

/** The database itself, before anything else reads it. `problem`: it could not be opened. */
export async function checkDatabase(
  database: Parameters<typeof pendingMigrations>[0] | null,
  problem: Error | null,
): Promise<Check[]> {
  const subject = 'database';
  if (database === null) {
    return [
      {
        check: 'database-unreachable',
        severity: 'broken',
        subject,
        problem: 'the database cannot be read',
        evidence: problem?.message ?? 'no answer',
        remedy:
          (problem instanceof PoolerRefuses ? problem.remedy : null) ??
          'Start the service once (it makes and migrates the database), or correct database.url; for PostgreSQL see that the server is up and lets us in.',
      },
    ];
  }
  const pending = await pendingMigrations(database);
  if (pending.length === 0) return [];
  return [
    {
      check: 'database-not-migrated',
      severity: 'broken',
      subject,
      problem: 'the database is of an older release',
      evidence: `missing: ${pending.join(', ')}`,
      remedy: 'Stop the service, run `claude-hooks migrate`, start it again.',
    },
  ];
}

export const checkRecords: Look = async (context) => {
  if (context.rows === null) return [];
  return [
    ...(await refusedCredential(context)),
    ...(await held(context)),
    ...(await troubledDispatches(context.rows, context.now())),
    ...(await cliDrift(context)),
  ];
};

/** The gateway's last answers: a model credential that has begun to be refused. */
async function refusedCredential({ rows, now }: DoctorContext): Promise<Check[]> {
  const last = await rows!
    .selectFrom('model_requests')
    .select(['status', 'at'])
    .where('status', 'is not', null)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (last === undefined || (last.status !== 401 && last.status !== 403)) return [];
  if (last.at < now() - 30 * DAY_MS) return [];
  // A 403 is the credential's only where the gateway found it so, and then it is held.
  const holds = await currentHolds(rows!, now());
  if (last.status === 403 && !holds.some((hold) => hold.scope === credentialScope(null).key)) return [];
  return [
    {
      check: 'model-credential-refused',
      severity: 'broken',
      subject: 'model credential',
      problem: 'the last request to the model was refused',
      evidence: `status ${last.status} at ${showTime(last.at)}`,
      remedy:
        'Put a valid key into model.api_key, or a fresh token into model.auth_token. `claude-hooks smoke` shows when it is accepted.',
    },
  ];
}

/** A hold is no failure, but explains why nothing runs. */
async function held({ rows, now }: DoctorContext): Promise<Check[]> {
  return (await currentHolds(rows!, now())).map((hold) => ({
    check: hold.kind === 'credential' ? 'credential-held' : 'held',
    severity: 'note',
    subject: hold.label,
    problem: 'its dispatches wait until the hold ends or is lifted',
    evidence: `${hold.reason}; by ${hold.by_name ?? hold.by_kind}, ${hold.until === null ? 'without an end' : `until ${showTime(hold.until)}`}`,
    remedy:
      hold.until === null
        ? `\`claude-hooks resume ${hold.id.slice(0, 8)}\` lifts it.`
        : 'Nothing: they go on by themselves. A refused key has to be replaced; `claude-hooks resume` lifts a hold early.',
  }));
}

/** The installed CLI resumes sessions of other versions. Nobody tests that an older CLI reads those of a newer one. */
async function cliDrift({ rows, pinnedCliVersion }: DoctorContext): Promise<Check[]> {
  const found = await rows!
    .selectFrom('sessions')
    .select(['cli_version', (e) => e.fn.countAll<number>().as('count')])
    .where('state', '=', 'verified')
    .where('cli_version', 'is not', null)
    .groupBy('cli_version')
    .execute();
  const newer = found.filter((f) => compareVersions(f.cli_version!, pinnedCliVersion) > 0);
  if (newer.length === 0) return [];
  return [
    {
      check: 'cli-older-than-sessions',
      severity: 'risk',
      subject: 'sessions',
      problem: 'sessions were written by a newer CLI than the one that is installed now',
      evidence: `${newer.map((f) => `${f.count} by ${f.cli_version}`).join(', ')}; installed: ${pinnedCliVersion}`,
      remedy:
        'Install the release of claude-hooks that was in use, or watch the first resumed conversations.',
    },
  ];
}

export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((v) => v.split('.').map((part) => Number.parseInt(part, 10) || 0));
  for (let at = 0; at < Math.max(left!.length, right!.length); at++) {
    const difference = (left![at] ?? 0) - (right![at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
