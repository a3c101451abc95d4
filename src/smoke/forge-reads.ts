/** What a dispatch reads of the forge, read once as an agent's account: in the repositories that are listed by name, else in the first. */
import type { ForgeConfig } from '../config/config.ts';
import { isForgesAnswer } from '../errors.ts';
import type { Forge } from '../forges/forge.ts';
import { type TriedForge, tryReads } from '../forges/try-reads.ts';
import type { SmokeCheck } from './report.ts';

/** The smoke checks come often; the doctor looks at all of them. */
const MOST_LOOKED_AT = 3;

export const CI_REMEDY =
  'Let the account read Actions: in an organization give one of its teams the unit Actions of the repository, else add it as a collaborator; its token needs write:repository.';

type ReadingForge = TriedForge & Pick<Forge, 'findRepository' | 'listRepositories'>;

export async function checkReads(
  forge: ForgeConfig,
  agent: string,
  client: ReadingForge,
): Promise<SmokeCheck> {
  const check = (state: SmokeCheck['state'], detail: string, remedy: string): SmokeCheck => ({
    agent,
    check: 'forge-reads',
    state,
    detail: `${forge.name}: ${detail}`,
    remedy,
  });
  const looked: string[] = [];
  const notOffered = new Set<string>();
  try {
    for (const name of await namesOf(forge, client)) {
      const { repository } = await client.findRepository(name);
      for (const { what, outcome, why } of await tryReads(client, repository)) {
        if (outcome === 'failed') {
          const detail = `a dispatch could not read ${what} of ${repository.fullName}: ${why}`;
          return check('failed', detail, 'Run `claude-hooks doctor`, which tries all repositories.');
        }
        if (outcome === 'hidden') {
          return check('refused', `may not read ${what} of ${repository.fullName}: ${why}`, CI_REMEDY);
        }
        if (outcome === 'not-offered') notOffered.add(what.replace(/ of #\d+$/, ''));
      }
      looked.push(repository.fullName);
    }
  } catch (error) {
    if (!isForgesAnswer(error)) throw error;
    return check('failed', error.message, 'Run `claude-hooks doctor`, which tries all repositories.');
  }
  if (looked.length === 0) {
    return check('skipped', 'the account sees no repository that is listed', 'Give it access to one.');
  }
  const limits = notOffered.size === 0 ? '' : `; not offered: ${[...notOffered].join(', ')}`;
  return check('ok', `all of ${looked.join(', ')} that a dispatch reads${limits}`, '');
}

export async function namesOf(
  forge: ForgeConfig,
  client: Pick<Forge, 'listRepositories'>,
): Promise<string[]> {
  const patterns = forge.repositories.map(({ pattern }) => pattern);
  const names = patterns.filter((pattern) => !pattern.endsWith('/*'));
  for (const pattern of patterns.filter((one) => one.endsWith('/*'))) {
    if (names.length >= MOST_LOOKED_AT) break;
    names.push(...(await client.listRepositories(pattern.slice(0, -2))));
  }
  return names.slice(0, MOST_LOOKED_AT);
}
