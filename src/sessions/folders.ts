/**
 * Where a conversation's CLI keeps its files. One folder per conversation, so that one broken or hostile run cannot
 * touch another's history, and so that its project folder holds this conversation's sessions and nothing else.
 */
import { randomUUID } from 'node:crypto';
import { lstatSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

/** Fixed, so that the working folder's path has no part in where the CLI looks (SDK: CLAUDE_CODE_PROJECT_DIR_NAME). */
export const PROJECT_FOLDER_NAME = 'conversation';

/** From the CLI folder down to the transcripts, outermost first. */
export const PROJECT_FOLDERS = ['projects', join('projects', PROJECT_FOLDER_NAME)];

export interface CliFolders {
  /** CLAUDE_CONFIG_DIR; a container has it at another path (`place.ts`) */
  config: string;
  /** HOME of the CLI; holds nothing we need */
  home: string;
  /** TMPDIR of the CLI */
  temporary: string;
  /** lock files, outside of everything the agent may write */
  locks: string;
  /** copies of the steering files while a marked session runs; no container has it */
  steering: string;
}

export function cliFolders(stateFolder: string, conversationId: string): CliFolders {
  const base = join(stateFolder, 'conversations', conversationId);
  return {
    config: join(base, 'cli'),
    home: join(base, 'home'),
    temporary: join(base, 'tmp'),
    locks: join(stateFolder, 'locks'),
    steering: join(base, 'steering'),
  };
}

/** Call it only while no process of the agent lives. A link in the place of a folder is moved aside, not followed. */
export function createCliFolders(folders: CliFolders): void {
  for (const path of PROJECT_FOLDERS) {
    const folder = join(folders.config, path);
    const found = lstatSync(folder, { throwIfNoEntry: false });
    // guard: CLI folder: put right before a run
    if (found !== undefined && !found.isDirectory()) renameSync(folder, `${folder}.odd-${randomUUID()}`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  mkdirSync(folders.home, { recursive: true, mode: 0o700 });
  mkdirSync(folders.temporary, { recursive: true, mode: 0o700 });
  mkdirSync(folders.locks, { recursive: true, mode: 0o700 });
}

/** Path of a session's transcript relative to the CLI folder; the archive uses the same. */
export function transcriptPath(sessionId: string): string {
  return join('projects', PROJECT_FOLDER_NAME, `${sessionId}.jsonl`);
}
