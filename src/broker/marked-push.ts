/** What a marked session may not push: files that steer later runs, ours and those of others who use the repository. */
import { instructs } from '../steering/paths.ts';
import type { PushFacts } from '../workdir.ts';
import { throughLink } from './protected-files.ts';

/** `marked`: why the session is marked, null = it is not. Answers the sentence to refuse with, or null. */
export function refuseSteering(
  marked: string | null,
  { changedFiles, links }: Pick<PushFacts, 'changedFiles' | 'links'>,
  base: string,
): string | null {
  if (marked === null) return null;
  const file =
    changedFiles.find(instructs) ??
    throughLink(
      changedFiles,
      links.filter(({ path }) => instructs(path)),
    )?.path;
  if (file === undefined) return null;
  const shown = JSON.stringify(file.slice(0, 120)).replace(/[\u007f-\u009f]/g, '?');
  return `${shown} instructs agents, and this session may not change it: ${marked}. Take it out (git checkout origin/${base} -- <file>, or git rm), amend, and push again; describe the change you want in your answer instead.`;
}
