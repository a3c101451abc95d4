/** What a dispatch reads of the forge, read once as an agent's account: in the repositories that are listed by name, else in the first. */
import type { ForgeConfig } from '../config/config.ts';
import { isForgesAnswer } from '../errors.ts';
import type { Forge } from '../forges/forge.ts';
import { type TriedForge, tryReads } from '../forges/try-reads.ts';
import { type Check, isWell } from './check.ts';
import { judgeReads, type ReadsCheck } from './reads.ts';
import { lineOf, type SmokeLine } from './smoke-report.ts';

/** Few, because smoke runs often. The doctor looks at all. */
const MOST_LOOKED_AT = 3;

type ReadingForge = TriedForge & Pick<Forge, 'findRepository' | 'listRepositories'>;

/** One line: what is wrong with the first repository that is not well, else what was read. */
export async function checkSmokeReads(
  forge: ForgeConfig,
  agent: string,
  client: ReadingForge,
): Promise<SmokeLine> {
  const about = { subject: `forge ${forge.name}, agent ${agent}`, problem: '' };
  const line = (check: Omit<Check<'forge-reads'>, 'check' | keyof typeof about>) =>
    lineOf({ check: 'forge-reads', ...about, ...check }, { agent, where: forge.name });
  const looked: string[] = [];
  const notOffered = new Set<string>();
  try {
    for (const name of await namesOf(forge, client)) {
      const { repository } = await client.findRepository(name);
      const subject = `forge ${forge.name}, ${repository.fullName}, agent ${agent}`;
      const trials = await tryReads(client, repository);
      const bad = judgeReads({ subject, kind: forge.kind }, trials).find(isOfSmoke);
      if (bad !== undefined) return lineOf(bad, { agent, where: `${forge.name}, ${repository.fullName}` });
      for (const { what, outcome } of trials)
        if (outcome === 'not-offered') notOffered.add(what.replace(/ of #\d+$/, ''));
      looked.push(repository.fullName);
    }
  } catch (error) {
    if (!isForgesAnswer(error)) throw error;
    const remedy = 'Run `claude-hooks doctor`, which tries all repositories.';
    return line({ severity: 'broken', evidence: error.message, remedy });
  }
  if (looked.length === 0) {
    const evidence = 'the account sees no repository that is listed';
    return line({ severity: 'note', evidence, remedy: 'Give it access to one.' });
  }
  const limits = notOffered.size === 0 ? '' : `; not offered: ${[...notOffered].join(', ')}`;
  const evidence = `all of ${looked.join(', ')} that a dispatch reads${limits}`;
  return line({ severity: 'ok', evidence, remedy: '' });
}

function isOfSmoke(check: Check<ReadsCheck>): check is Check<Exclude<ReadsCheck, 'not-offered'>> {
  return !isWell(check);
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
