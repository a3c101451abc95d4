/** Submitting a review with inline comments. */
import { z } from 'zod';
import { postedText, unmarked } from '../outcome/answer.ts';
import { commitOfRun } from '../outcome/commit-of-run.ts';
import { commitSha, Denied, DeniedUnread, itemNumber, type Tool, text, writeTool } from './tool.ts';

const note = z.object({
  path: z.string().min(1).max(1_000),
  line: z.coerce.number().int().positive(),
  body: text,
});

export const REVIEW_TOOLS: readonly Tool[] = [
  writeTool({
    name: 'submit_review',
    description:
      'Reviews a pull request that is not your own. head_sha: the commit you looked at; to approve or to request changes, it must be the one your checkout was at when the run began. `line` is the line in the new file.',
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
    async check({ number, head_sha: sha, verdict }, { scope, deps, self }) {
      const [own, item] = await Promise.all([self(), deps.forge.getItem(scope.repository, number)]);
      if (item.pull === null) throw new Denied(`#${number} is an issue. Comment on it instead.`);
      if (item.author.id === own.id) throw new Denied(`#${number} is your own. Ask another for a review.`);
      if (item.pull.headSha !== sha) {
        throw new Denied(
          `The head of #${number} is ${item.pull.headSha} now. Look at what changed, then review that.`,
        );
      }
      if (verdict === 'commented') return;
      const began = await commitOfRun(deps.database.rows, scope.key.dispatchId);
      // guard: truth: a tool gives a verdict on the commit of its checkout alone
      if (began !== sha) throw new DeniedUnread(notInCheckout(sha, began));
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

/** Only the commit of the checkout: of another one nobody can tell how much of it the agent has read. */
function notInCheckout(sha: string, began: string | null): string {
  const where = began === null ? 'had no commit' : `was at ${began}`;
  return `Your checkout ${where} when this run began, and not at ${sha}, so this is no verdict. Review with the verdict "commented", or ask for a review by somebody who has that commit.`;
}

function submitted(id: number): string {
  return `Submitted as review ${id}.`;
}
