/** Comments and merging. */
import { z } from 'zod';
import { ForgeMissing, ForgeRefused } from '../../errors.ts';
import type { RepositoryRef } from '../../vocabulary.ts';
import type { Forge, MergeOutcome } from '../forge.ts';
import { toComment } from './answers.ts';
import type { ForgeHttp } from './http.ts';
import { listAll } from './pages.ts';
import { comment as commentShape } from './payloads.ts';

const word = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

/** One of the two addresses is empty: which one says what kind of item the comment belongs to. */
const placedComment = commentShape.extend({ issue_url: word, pull_request_url: word });

type Comments = Pick<
  Forge,
  'listComments' | 'getComment' | 'createComment' | 'editComment' | 'deleteComment'
>;

export function createComments(http: ForgeHttp): Comments {
  return {
    async listComments(repository, number) {
      const path = `/issues/${number}/comments`;
      const madeAt = (one: { created_at: string }) => one.created_at;
      const comments = await listAll(http, { repository, path, member: commentShape, madeAt });
      return comments.sort((a, b) => a.id - b.id).map(toComment);
    },
    async getComment(repository, id) {
      const path = `/issues/comments/${id}`;
      const { value } = await http.sendTo({ method: 'GET', repository, path }, placedComment);
      const itemNumber = Number(/\/(\d+)\/?$/.exec(value.issue_url || value.pull_request_url)?.[1] ?? 0);
      if (itemNumber > 0) return { ...toComment(value), itemNumber };
      throw new ForgeMissing(`Comment ${id} names no issue or pull request. List the comments of the item.`);
    },
    async createComment(repository, number, body) {
      const path = `/issues/${number}/comments`;
      const call = { method: 'POST', repository, path, body: { body } } as const;
      return toComment((await http.sendTo(call, commentShape)).value);
    },
    async editComment(repository, id, body) {
      const path = `/issues/comments/${id}`;
      const call = { method: 'PATCH', repository, path, body: { body } } as const;
      return toComment((await http.sendTo(call, commentShape)).value);
    },
    async deleteComment(repository, id) {
      const path = `/issues/comments/${id}`;
      try {
        await http.tellTo({ method: 'DELETE', repository, path });
      } catch (error) {
        if (!(error instanceof ForgeMissing)) throw error;
      }
    },
  };
}

/** The names of the fields are capitalised in this API alone. Scheduling always answers 201. */
export async function merge(
  http: ForgeHttp,
  o: { repository: RepositoryRef; number: number; how: Parameters<Forge['merge']>[2] },
): Promise<MergeOutcome> {
  const body = {
    Do: o.how.style,
    head_commit_id: o.how.headSha,
    ...(o.how.whenChecksSucceed ? { merge_when_checks_succeed: true } : {}),
  };
  const { repository, number } = o;
  try {
    const { status } = await http.tellTo({
      method: 'POST',
      repository,
      path: `/pulls/${number}/merge`,
      body,
    });
    return { kind: status === 201 ? 'scheduled' : 'merged' };
  } catch (error) {
    if (!(error instanceof ForgeRefused)) throw error;
    if (error.status === 405) return { kind: 'not-now', why: error.message };
    if (error.status === 409) return { kind: 'conflict', why: error.message };
    throw error;
  }
}
