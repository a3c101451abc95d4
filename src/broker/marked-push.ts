/** What a marked session may not push: files that steer later runs, ours and those of others who use the repository. */
import { instructs } from '../steering/paths.ts';
import type { PushFacts, Refusal } from '../workdir.ts';
import { throughLink } from './protected-files.ts';

/** `marked`: why the session is marked, null = it is not. null as well where it may be pushed. */
export function refuseSteering(
  marked: string | null,
  { changedFiles, links }: Pick<PushFacts, 'changedFiles' | 'links'>,
  base: string,
): Refusal | null {
  if (marked === null) return null;
  const file =
    changedFiles.find(instructs) ??
    throughLink(
      changedFiles,
      links.filter(({ path }) => instructs(path)),
    )?.path;
  if (file === undefined) return null;
  const shown = JSON.stringify(file.slice(0, 120)).replace(/[\u007f-\u009f]/g, '?');
  return {
    what: `${shown} instructs agents, and this session may not change it: ${marked}.`,
    todo: `Take it out (git checkout origin/${base} -- <file>, or git rm), amend, and push again; describe the change you want in your answer instead.`,
  };
}
