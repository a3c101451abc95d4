/** New issues: outside of the conversation, so only for agents whose scope is the repository. */
import { postedText, unmarked } from '../outcome/answer.ts';
import { type Tool, text, title, writeTool } from './tool.ts';

/** How many of the newest issues are searched for one that a crashed attempt may have opened. */
const LOOKED_THROUGH = 50;

export const ISSUE_TOOLS: readonly Tool[] = [
  writeTool({
    name: 'create_issue',
    description: 'Opens an issue in this repository.',
    input: { title, body: text },
    leavesMark: true,
    harmless: false,
    target: () => null,
    async find(_input, { scope, deps, mark, self }) {
      const { id } = await self();
      const filter = { state: 'all', limit: LOOKED_THROUGH } as const;
      const items = await deps.forge.listItems(scope.repository, filter);
      const ours = items.find((item) => item.author.id === id && item.body.includes(mark));
      return ours === undefined ? null : { text: opened(ours), number: ours.number };
    },
    async perform({ title: words, body }, { scope, deps, mark }) {
      const issue = await deps.forge.createIssue(scope.repository, {
        title: unmarked(words),
        body: postedText({ answer: body, notes: [], marker: mark }),
      });
      return { text: opened(issue), number: issue.number };
    },
  }),
];

function opened({ number, htmlUrl }: { number: number; htmlUrl: string }): string {
  return `Opened #${number}: ${htmlUrl}`;
}
