/**
 * Questions that the CLI asks a person before it lets them in (look, key, trust in the folder) are answered in its own file:
 * the operator has answered them with the configuration. Measured on CLI 2.1.330.
 */
import { randomUUID } from 'node:crypto';
import { lstat, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = '.claude.json';
/** The CLI knows a key by its last characters. */
const KEY_END = 20;

export interface Questions {
  /** the CLI folder, on this machine */
  folder: string;
  /** the checkout as the CLI sees it */
  cwd: string;
  /** as in its environment */
  apiKey: string;
}

/** Call it only while no process of the agent lives. What else stands in the file stays; a link is not followed. */
export async function answerQuestions({ folder, cwd, apiKey }: Questions): Promise<void> {
  const path = join(folder, NAME);
  const known = await readKnown(path);
  const projects = asObject(known.projects);
  const keys = asObject(known.customApiKeyResponses);
  const approved = Array.isArray(keys.approved) ? keys.approved : [];
  const answered = {
    theme: 'dark',
    ...known,
    hasCompletedOnboarding: true,
    bypassPermissionsModeAccepted: true,
    customApiKeyResponses: {
      rejected: [],
      ...keys,
      approved: [...new Set([...approved, apiKey.slice(-KEY_END)])],
    },
    projects: {
      ...projects,
      [cwd]: {
        ...asObject(projects[cwd]),
        hasTrustDialogAccepted: true,
        hasCompletedProjectOnboarding: true,
      },
    },
  };
  const fresh = `${path}.${randomUUID()}`;
  await writeFile(fresh, JSON.stringify(answered), { flag: 'wx', mode: 0o600 });
  await rename(fresh, path);
}

async function readKnown(path: string): Promise<Record<string, unknown>> {
  const found = await lstat(path).catch(() => null);
  if (found === null || !found.isFile()) return {};
  try {
    return asObject(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return {};
  }
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
