/**
 * The hash by which a repository names its objects. Git refuses to mix the two, so every repository we make uses the
 * forge's.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export type ObjectFormat = 'sha1' | 'sha256';

/** Only for repositories that no agent writes, because the answer is read from the configuration. */
export async function objectFormatOf(gitDir: string): Promise<ObjectFormat> {
  // A missing configuration is damage; git will report it, and the caller repairs it.
  const config = await readFile(join(gitDir, 'config'), 'utf8').catch(() => '');
  return /^\s*objectformat\s*=\s*sha256\s*$/im.test(config) ? 'sha256' : 'sha1';
}

/**
 * The lines of a git configuration that name a repository's format, followed by the caller's `core` lines.
 */
export function formatConfig(format: ObjectFormat, core: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ repositoryformatversion: format === 'sha1' ? '0' : '1', ...core });
  const extension = format === 'sha1' ? '' : `[extensions]\n\tobjectFormat = ${format}\n`;
  return `[core]\n${lines.map(([key, value]) => `\t${key} = ${value}\n`).join('')}${extension}`;
}
