/** Looks for a session's transcript where it should not be. Reads only. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { SessionRow } from '../database/tables.ts';
import { type Copy, judge } from './copies.ts';
import { readPlain } from './plain-files.ts';

export interface FoundCopy {
  file: string;
  /** `former-folder`: where the row says it was, while the service now uses another state folder */
  where: 'config-folder' | 'former-folder' | 'home';
  copy: Copy;
}

export interface Search {
  session: SessionRow;
  /** the CLI folder the row names, when the CLI will look in another */
  formerFolder: string | null;
  otherHomes: string[];
}

/**
 * The former folder, other CLI folders of this installation, then homes: the conversation's own HOME and those the
 * caller names.
 */
export async function searchElsewhere({ session, formerFolder, otherHomes }: Search): Promise<FoundCopy[]> {
  const homes = [join(dirname(session.config_folder), 'home'), ...otherHomes];
  const places: { folder: string; where: FoundCopy['where'] }[] = [
    ...(formerFolder === null ? [] : [{ folder: formerFolder, where: 'former-folder' as const }]),
    ...(await otherConfigFolders(session.config_folder)).map((folder) => ({
      folder,
      where: 'config-folder' as const,
    })),
    // A home may be named itself or be a CLI folder already.
    ...homes
      .flatMap((home) => [home, join(home, '.claude')])
      .map((folder) => ({ folder, where: 'home' as const })),
  ];
  const found: FoundCopy[] = [];
  for (const { folder, where } of places.filter((p) => p.folder !== session.config_folder)) {
    for (const file of await transcriptsIn(folder, session.id)) {
      found.push({ file, where, copy: await judgeFile(file, session.head) });
    }
  }
  return found;
}

/** Every `cli` folder of the state folder without ours; empty when ours is not laid out like that. */
async function otherConfigFolders(configFolder: string): Promise<string[]> {
  const conversations = dirname(dirname(configFolder));
  if (basename(configFolder) !== 'cli' || basename(conversations) !== 'conversations') return [];
  const names = await readdir(conversations).catch(() => []);
  return names.map((name) => join(conversations, name, 'cli')).filter((folder) => folder !== configFolder);
}

/** Transcripts of this id in any project folder of a CLI folder. */
export async function transcriptsIn(configFolder: string, sessionId: string): Promise<string[]> {
  const projects = join(configFolder, 'projects');
  const found: string[] = [];
  for (const name of await readdir(projects).catch(() => [])) {
    const file = join(projects, name, `${sessionId}.jsonl`);
    if (await exists(file)) found.push(file);
  }
  return found;
}

/** What repairs and restores have left beside the transcript's place. */
export async function leftovers(transcript: string): Promise<string[]> {
  const beside = [`${transcript}.set-aside`, `${transcript}.stray`, `${transcript}.tmp`];
  const there = await Promise.all(beside.map(exists));
  return beside.filter((_, i) => there[i]);
}

export async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

async function judgeFile(file: string, head: string | null): Promise<Copy> {
  try {
    return judge(await readPlain(dirname(file), basename(file)), head);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'UNKNOWN';
    return { state: 'unreadable', bytes: null, transcript: null, code };
  }
}
