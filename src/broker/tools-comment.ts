/** Comments and reactions. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { sameLogin } from '../logins.ts';
import { postedText } from '../outcome/answer.ts';
import { leaveToPeople } from '../outcome/questions.ts';
import { loginOf } from '../voices.ts';
import { type Act, type Broker, Denied, type Done, itemNumber, type Tool, text, writeTool } from './tool.ts';

/** What the forges offer unless their administrator changed it. */
const REACTIONS = ['+1', '-1', 'laugh', 'hooray', 'confused', 'heart', 'rocket', 'eyes'] as const;

const commentId = z.coerce.number().int().positive();

export const COMMENT_TOOLS: readonly Tool[] = [
  writeTool({
    name: 'comment',
    description:
      'Posts a comment on an item of this conversation. Your final answer is posted by itself: do not comment it too. Mentions call nobody.',
    input: { number: itemNumber, text },
    leavesMark: true,
    harmless: true,
    target: ({ number }) => number,
    find: async ({ number }, act) => await findOwn(number, act),
    perform: async ({ number, text: answer }, act) => await post(number, answer, act),
  }),
  writeTool({
    name: 'ask_person',
    description:
      'Posts a question that only a person can answer, and lists it for the people who look after you. Ask for all you need at once, say what you would do without an answer, and end your turn then: the answer wakes you.',
    input: { number: itemNumber, question: text },
    leavesMark: true,
    harmless: true,
    target: ({ number }) => number,
    async find({ number, question }, act) {
      const found = await findOwn(number, act);
      return found === null ? null : { ...found, question };
    },
    async perform({ number, question }, act) {
      return { ...(await post(number, question, act)), question };
    },
    async after({ question = '' }, { scope, deps }) {
      const id = createHash('sha256').update(question).digest('hex').slice(0, 16);
      await leaveToPeople(deps, { key: scope.key, kind: 'question', id, text: question });
    },
  }),
  writeTool({
    name: 'edit_comment',
    description: 'Replaces the text of a comment of your own.',
    input: { comment_id: commentId, text },
    leavesMark: false,
    harmless: false,
    target: async ({ comment_id: id }, { scope, deps }) =>
      (await deps.forge.getComment(scope.repository, id)).itemNumber,
    check: async ({ comment_id: id }, broker) => await requireOwn(id, broker),
    async perform({ comment_id: id, text: answer }, act) {
      const body = postedText({ answer, notes: [], marker: await markOf(id, act) });
      return {
        text: `Edited: ${(await act.deps.forge.editComment(act.scope.repository, id, body)).htmlUrl}`,
      };
    },
  }),
  writeTool({
    name: 'react',
    description: 'Adds a reaction to an item of this conversation, or with comment_id to a comment on it.',
    input: { number: itemNumber, comment_id: commentId.optional(), reaction: z.enum(REACTIONS) },
    leavesMark: false,
    harmless: true,
    target: ({ number }) => number,
    async check({ number, comment_id: id }, { scope, deps }) {
      if (id === undefined) return;
      const { itemNumber: at } = await deps.forge.getComment(scope.repository, id);
      if (at !== number)
        throw new Denied(`Comment ${id} is on #${at}, not on #${number}. Name the item it is on.`);
    },
    async perform({ number, comment_id: id, reaction }, { scope, deps }) {
      const target = id === undefined ? { number } : { commentId: id };
      await deps.forge.react(scope.repository, target, reaction);
      return { text: 'Done.' };
    },
  }),
];

async function findOwn(number: number, { scope, deps, mark, self }: Act): Promise<Done | null> {
  const { id } = await self();
  const comments = await deps.forge.listComments(scope.repository, number);
  // By our account only: anybody can write a mark.
  // guard: marks by our account
  const ours = comments.find((comment) => comment.author.id === id && comment.body.includes(mark));
  return ours === undefined ? null : { text: posted(ours) };
}

async function post(number: number, words: string, { scope, deps, mark }: Act): Promise<Done> {
  const body = postedText({ answer: words, notes: [], marker: mark });
  return { text: posted(await deps.forge.createComment(scope.repository, number, body)) };
}

function posted({ id, htmlUrl }: { id: number; htmlUrl: string }): string {
  return `Posted as comment ${id}: ${htmlUrl}`;
}

async function requireOwn(id: number, { scope, deps, self }: Broker): Promise<void> {
  const [own, comment] = await Promise.all([self(), deps.forge.getComment(scope.repository, id)]);
  if (comment.author.id === own.id && sameLogin(comment.author.login, own.login)) return;
  throw new Denied(`Comment ${id} was written by ${loginOf(comment.author)}. Answer it with a new comment.`);
}

/** Keeps the mark a comment was posted with: without it a repeated call would not find the comment and post it again. */
async function markOf(id: number, { scope, deps, mark }: Act): Promise<string> {
  const { body } = await deps.forge.getComment(scope.repository, id);
  return /<!-- claude-hooks \S+ -->\s*$/.exec(body)?.[0].trim() ?? mark;
}
