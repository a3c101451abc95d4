/** Submitting a review with inline comments. */
import { z } from 'zod';
import { postedText, unmarked } from '../outcome/answer.ts';
import { commitSha, Denied, itemNumber, type Tool, text, writeTool } from './tool.ts';

const note = z.object({
  path: z.string().min(1).max(1_000),
  line: z.coerce.number().int().positive(),
  body: text,
});

export const REVIEW_TOOLS: readonly Tool[] = [
  writeTool({
    name: 'submit_review',
    description:
      'Reviews a pull request that is not your own. head_sha: the commit you looked at. `line` is the line in the new file.',
    input: {
      number: itemNumber,
      head_sha: commitSha,
      verdict: z.enum(['approved', 'changes_requested', 'commented']),
      body: text,
      inline: z.array(note).max(50).default([]),
    },
    leavesMark: true,
    harmless: false,
    target: ({ number }) => number,
    async check({ number, head_sha: sha }, { scope, deps, self }) {
      const [own, item] = await Promise.all([self(), deps.forge.getItem(scope.repository, number)]);
      if (item.pull === null) throw new Denied(`#${number} is an issue. Comment on it instead.`);
      if (item.author.id === own.id) throw new Denied(`#${number} is your own. Ask another for a review.`);
      if (item.pull.headSha === sha) return;
      throw new Denied(
        `The head of #${number} is ${item.pull.headSha} now. Look at what changed, then review that.`,
      );
    },
    async find({ number }, { scope, deps, mark, self }) {
      const { id } = await self();
      const reviews = await deps.forge.listReviews(scope.repository, number);
      const ours = reviews.find((review) => review.author.id === id && review.body.includes(mark));
      return ours === undefined ? null : { text: submitted(ours.id) };
    },
    async perform({ number, head_sha: commitId, verdict, body, inline }, { scope, deps, mark }) {
      const { id } = await deps.forge.submitReview(scope.repository, number, {
        verdict,
        body: postedText({ answer: body, notes: [], marker: mark }),
        commitId,
        inline: inline.map((one) => ({ ...one, body: unmarked(one.body) })),
      });
      return { text: submitted(id) };
    },
  }),
];

function submitted(id: number): string {
  return `Submitted as review ${id}.`;
}
