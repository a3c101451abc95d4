/** What a branch asks of a merge, as the forge shows it to whoever may read the branch. */
import { z } from 'zod';
import type { RepositoryRef } from '../../vocabulary.ts';
import type { MergeRules } from '../forge.ts';
import { type NotOffered, offeredOr } from '../not-offered.ts';
import type { ForgeHttp } from './http.ts';

const branchAnswer = z.object({
  required_approvals: z.number().nullish(),
  user_can_merge: z.boolean().nullish(),
});

export async function mergeRules(
  http: ForgeHttp,
  repository: RepositoryRef,
  branch: string,
): Promise<MergeRules | NotOffered> {
  const path = `/branches/${branch.split('/').map(encodeURIComponent).join('/')}`;
  const call = { method: 'GET', repository, path } as const;
  const found = await offeredOr(null, async () => (await http.sendTo(call, branchAnswer)).value);
  if (found === null) {
    return { kind: 'not-offered', why: `This forge does not show this account the branch ${branch}.` };
  }
  return {
    kind: 'rules',
    approvals: found.required_approvals ?? 0,
    mayMerge: found.user_can_merge ?? null,
  };
}
