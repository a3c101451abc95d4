/** Labels, assignees, requests for a review and reactions: writes that change nothing when they are repeated. */
import { z } from 'zod';
import type { RepositoryRef } from '../../vocabulary.ts';
import type { ForgeMarker } from '../forge.ts';
import { offeredOr } from '../not-offered.ts';
import type { ForgeHttp } from './http.ts';
import { listAll } from './pages.ts';

const label = z.object({ id: z.number().int(), name: z.string() });

export function createMarker(http: ForgeHttp): ForgeMarker {
  return {
    async addLabels(repository, number, labels) {
      await http.tellTo({ method: 'POST', repository, path: `/issues/${number}/labels`, body: { labels } });
    },
    async removeLabel(repository, number, name) {
      // By id: names are accepted since Forgejo 13 only.
      const path = `/issues/${number}/labels`;
      const { value } = await http.sendTo({ method: 'GET', repository, path }, z.array(label).nullish());
      const found = (value ?? []).find((one) => one.name === name);
      if (found === undefined) return;
      await http.tellTo({ method: 'DELETE', repository, path: `${path}/${found.id}` });
    },
    async listLabels(repository) {
      const own = await listAll(http, { repository, path: '/labels', member: label });
      return [...own, ...(await organizationLabels(http, repository))].map(({ name }) => name);
    },
    async setAssignees(repository, number, assignees) {
      await http.tellTo({ method: 'PATCH', repository, path: `/issues/${number}`, body: { assignees } });
    },
    async requestReview(repository, number, reviewers) {
      const path = `/pulls/${number}/requested_reviewers`;
      await http.tellTo({ method: 'POST', repository, path, body: { reviewers } });
    },
    async react(repository, target, content) {
      const on = 'number' in target ? `/issues/${target.number}` : `/issues/comments/${target.commentId}`;
      await http.tellTo({ method: 'POST', repository, path: `${on}/reactions`, body: { content } });
    },
  };
}

/** Labels of the organization count in its repositories. A person's account has none (404); it takes read:organization. */
async function organizationLabels(http: ForgeHttp, repository: RepositoryRef) {
  const owner = encodeURIComponent(repository.fullName.split('/')[0]!);
  const call = { method: 'GET', path: `/orgs/${owner}/labels?limit=50` } as const;
  return await offeredOr([], async () => (await http.send(call, z.array(label).nullish())).value ?? []);
}
