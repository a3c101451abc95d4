/**
 * The doctor runs every check that only looks, and says what is not well, worst first. It changes nothing. What has to be
 * tried in a container is left to the smoke checks.
 */
import { type Database, openDatabase } from '../database/database.ts';
import { silentLog } from '../log.ts';
import { checkAccounts } from './accounts.ts';
import { actingAgents } from './acting-agents.ts';
import { type Check, isWell, worstFirst } from './check.ts';
import { checkClones } from './clones.ts';
import type { DoctorContext, Look } from './context.ts';
import { checkDoors } from './doors.ts';
import { checkEngines } from './engines.ts';
import { checkFolders } from './folders.ts';
import { checkHooks } from './hooks.ts';
import { checkMcpServers } from './mcp-servers.ts';
import { checkModels } from './models.ts';
import { checkNetwork } from './network.ts';
import { checkPermissions } from './permissions.ts';
import { checkReaders } from './readers.ts';
import { checkReads } from './reads.ts';
import { checkDatabase, checkRecords, isNotMadeYet, notStartedYet } from './records.ts';
import { siteFinder } from './repositories.ts';

export interface DoctorReport {
  /** worst first, without what is well */
  findings: Check[];
  /** names of the groups that were looked at */
  looked: string[];
  /** a line for each acting agent: which model it has today, and what that costs */
  models: string[];
  /** true when nothing is broken */
  ok: boolean;
  /** a running one holds the state folder; then test deliveries can be watched */
  service: 'running' | 'not running';
}

const CHECKS: Readonly<Record<string, Look>> = {
  folders: checkFolders,
  readers: checkReaders,
  records: checkRecords,
  engines: checkEngines,
  models: checkModels,
  network: checkNetwork,
  doors: (context) =>
    checkDoors(context.config, actingAgents(context.config), { ...context, log: silentLog }),
  tools: (context) =>
    checkMcpServers(context.config, actingAgents(context.config), { ...context, log: silentLog }),
  accounts: checkAccounts,
  permissions: checkPermissions,
  reads: checkReads,
  clones: checkClones,
  hooks: checkHooks,
};

/** Opens the database, and adds what only it can tell to what was given. */
export async function runDoctor(given: Omit<DoctorContext, 'rows' | 'sites'>): Promise<DoctorReport> {
  const { url } = given.config.database;
  const isFirst = !given.service.running && isNotMadeYet(url);
  const database = isFirst ? new Error('there is none yet') : await openToRead(url);
  try {
    const isOpen = !(database instanceof Error);
    const findings = isFirst
      ? [notStartedYet(url)]
      : await checkDatabase(isOpen ? database : null, isOpen ? null : database);
    const isUsable = isOpen && findings.length === 0;
    const known = { ...given, rows: isUsable ? database.rows : null };
    const context: DoctorContext = { ...known, sites: siteFinder(known) };
    for (const [name, check] of Object.entries(CHECKS))
      findings.push(...(await carefully(name, check, context)));
    const sorted = worstFirst(findings.filter(({ severity }) => severity !== 'ok'));
    return {
      findings: sorted,
      models: actingAgents(given.config).map((agent) => given.model(agent).says),
      looked: ['database', ...Object.keys(CHECKS)],
      ok: sorted.every(isWell),
      service: given.service.running ? 'running' : 'not running',
    };
  } finally {
    if (!(database instanceof Error)) await database.close();
  }
}

/** A check that throws becomes a finding; the others still run. */
async function carefully(name: string, check: Look, context: DoctorContext): Promise<Check[]> {
  try {
    return await check(context);
  } catch (error) {
    return [
      {
        check: 'check-failed',
        severity: 'risk',
        subject: name,
        problem: `the checks of ${name} could not be finished`,
        evidence: String(error),
        remedy: 'Mend what else is found first; if it stays, report it with this line.',
      },
    ];
  }
}

async function openToRead(url: string): Promise<Database | Error> {
  let database: Database | null = null;
  try {
    database = openDatabase({ url, readOnly: true });
    await database.rows.selectFrom('deliveries').select('id').limit(1).execute();
    return database;
  } catch (error) {
    await database?.close().catch(() => {});
    return error instanceof Error ? error : new Error(String(error));
  }
}
