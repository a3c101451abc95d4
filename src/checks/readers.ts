/** Who else on this machine can read what the service keeps. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Check } from './check.ts';
import type { Look } from './context.ts';

export const checkReaders: Look = async ({ config }) => {
  const findings = await readersOf(config.state, 'the state folder', 'chmod 700');
  for (const file of databaseFiles(config.database.url))
    findings.push(...(await readersOf(file, 'the database', 'chmod 600')));
  return findings;
};

function databaseFiles(url: string): string[] {
  const file = /^sqlite:(.+)$/.exec(url)?.[1];
  return file === undefined ? [] : [file, `${file}-wal`, `${file}-shm`];
}

/** The files hold prompts, transcripts and texts of private repositories, so other users must not read them. */
async function readersOf(path: string, what: string, command: string): Promise<Check[]> {
  const found = await stat(path).catch(() => null);
  if (found === null || !(await isReachedByOthers(path, found.mode))) return [];
  const mode = (found.mode & 0o777).toString(8);
  return [
    {
      check: 'readable-by-others',
      severity: 'risk',
      subject: path,
      problem: `other users of this machine can read ${what}`,
      evidence: `its mode is ${mode}`,
      remedy: `Run ${command} on it. A service of this release does so at its start, and keeps it so.`,
    },
  ];
}

/** Whether its group, or everybody, may read it and enter all folders above it. */
async function isReachedByOthers(path: string, mode: number): Promise<boolean> {
  let group = (mode & 0o040) !== 0;
  let everybody = (mode & 0o004) !== 0;
  for (let at = dirname(path); ; at = dirname(at)) {
    const above = (await stat(at)).mode;
    everybody &&= (above & 0o001) !== 0;
    group &&= (above & 0o011) !== 0;
    if (at === dirname(at)) return group || everybody;
  }
}
