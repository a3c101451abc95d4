/** Prepares the CLI's folder for a marked run: every steering file exists, so that it can be mounted read-only. */
import { randomUUID } from 'node:crypto';
import { lstat, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CLI_FILES, CLI_FOLDERS } from './paths.ts';

/**
 * Answers paths relative to the folder. What is missing is made, because a missing file cannot be mounted over, and the
 * run could make it. Call it only while no process of the agent lives. A link is moved aside, not followed.
 */
export async function closeCliFolder(config: string): Promise<string[]> {
  const folders = [...CLI_FOLDERS, join('projects', 'conversation', 'memory')];
  for (const name of folders) {
    await clear(join(config, name), 'folder');
    await mkdir(join(config, name), { recursive: true, mode: 0o700 });
  }
  for (const [name, text] of Object.entries(CLI_FILES)) {
    await clear(join(config, name), 'file');
    await writeFile(join(config, name), text, { flag: 'wx', mode: 0o600 }).catch((error) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
  return [...folders, ...Object.keys(CLI_FILES)];
}

async function clear(path: string, kind: 'folder' | 'file'): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null || (kind === 'folder' ? found.isDirectory() : found.isFile())) return;
  await rename(path, `${path}.odd-${randomUUID()}`);
}
