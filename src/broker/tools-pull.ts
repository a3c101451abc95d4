/** Opening and changing pull requests, and asking for a review. */
import type { Item } from '../forges/forge.ts';
import { postedText, unmarked } from '../outcome/answer.ts';
import { choosePull, joinPull, OPEN_PULL_TOOL, openedByAnother } from '../outcome/pulls.ts';
import { loginOf } from '../voices.ts';
import { type Broker, Denied, itemNumber, logins, type Tool, text, title, writeTool } from './tool.ts';

export const PULL_TOOLS: readonly Tool[] = [
  writeTool({
    name: OPEN_PULL_TOOL.slice('tool:'.length),
    description:
      'Opens the pull request of your branch into its base, after a push; it joins this conversation. Say in the body what you did, how you tested it and what is open, and "Closes #n" if it does. A title that begins with "WIP:" makes a draft.',
    input: { title, body: text },
    leavesMark: true,
    harmless: false,
    // A pull request of the conversation's own branch belongs to it from the start.
    target: async (_input, { scope }) => (await scope.items())[0] ?? null,
    check: async (_input, { scope }) => void branchOf(scope),
    find: async (_input, broker) => await openPull(broker),
    async perform({ title: words, body }, broker) {
      const there = await openPull(broker);
      if (there !== null) return { ...there, text: `${there.text} Use update_pull to change it.` };
      const unwanted = await broker.scope.refusePull();
      if (unwanted !== null) throw new Denied(unwanted);
      const { name: head, base } = branchOf(broker.scope);
      const opened = await broker.deps.forge.openPull(broker.scope.repository, {
        title: unmarked(words),
        body: postedText({ answer: body, notes: disclosed(broker), marker: broker.mark }),
        head,
        base,
      });
      const draft = opened.pull?.draft
        ? ' Because of its title it is a draft: update_pull gives it another one when it is ready.'
        : '';
      return { text: `Opened #${opened.number}: ${linkOf(opened)}${draft}`, number: opened.number };
    },
    async after({ number }, { scope, deps }) {
      const { name: forge } = deps.forge;
      await joinPull(deps, scope, { forge, repository: scope.repository, number: number! });
    },
  }),
  writeTool({
    name: 'update_pull',
    description: 'Changes title or body of a pull request that you opened.',
    input: { number: itemNumber, title: title.optional(), body: text.optional() },
    leavesMark: false,
    harmless: false,
    target: ({ number }) => number,
    async check(change, broker) {
      if (change.title === undefined && change.body === undefined) {
        throw new Denied('Nothing would change. Give a title or a body.');
      }
      await requireOwnPull(change.number, broker);
    },
    async perform({ number, title: words, body }, broker) {
      const { scope, deps, mark } = broker;
      const changed = await deps.forge.updatePull(scope.repository, number, {
        ...(words === undefined ? {} : { title: unmarked(words) }),
        ...(body === undefined
          ? {}
          : { body: postedText({ answer: body, notes: disclosed(broker), marker: mark }) }),
      });
      return { text: `Changed: ${linkOf(changed)}` };
    },
  }),
  writeTool({
    name: 'request_review',
    description: 'Asks accounts to review a pull request.',
    input: { number: itemNumber, logins },
    leavesMark: false,
    harmless: false,
    target: ({ number }) => number,
    async perform({ number, logins: wanted }, { scope, deps }) {
      await deps.forge.requestReview(scope.repository, number, wanted);
      return { text: `Review of #${number} asked of ${wanted.join(', ')}.` };
    },
  }),
];

// guard: feedback: agents disclose their work, part 2
function disclosed({ scope }: Broker): string[] {
  return scope.disclosure === '' ? [] : [scope.disclosure];
}

function branchOf({ branch }: Broker['scope']): { name: string; base: string } {
  if (branch !== null) return branch;
  throw new Denied('This agent has no branch of its own here. Describe the change in your final answer.');
}

/** Anybody may open a pull request of any branch: only one that our account opened is ours. */
async function openPull({ scope, deps, self }: Broker): Promise<{ text: string; number: number } | null> {
  const { name, base } = branchOf(scope);
  const [pulls, own] = await Promise.all([deps.forge.findPulls(scope.repository, name), self()]);
  const found = choosePull(pulls, { base, isOurs: ({ id }) => id === own.id });
  if (found === null) return null;
  if (found.author.id !== own.id) throw new Denied(openedByAnother(found, name));
  return { text: `#${found.number} of ${name} is open: ${linkOf(found)}`, number: found.number };
}

async function requireOwnPull(number: number, { scope, deps, self }: Broker): Promise<void> {
  const [own, item] = await Promise.all([self(), deps.forge.getItem(scope.repository, number)]);
  if (item.pull === null) throw new Denied(`#${number} is an issue. Comment on it instead.`);
  if (item.author.id !== own.id) {
    throw new Denied(`#${number} was opened by ${loginOf(item.author)}. Propose the change in a comment.`);
  }
}

function linkOf(item: Item): string {
  return item.pull?.htmlUrl ?? item.htmlUrl;
}
