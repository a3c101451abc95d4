/** Labels, assignees and commit statuses: states that are set, so setting them twice changes nothing. */
import { z } from 'zod';
import { hasLogin } from '../logins.ts';
import { unmarked } from '../outcome/answer.ts';
import { inline } from './quoted-texts.ts';
import { type Broker, commitSha, Denied, itemNumber, logins, type Tool, writeTool } from './tool.ts';

const labels = z.array(z.string().trim().min(1).max(100)).min(1).max(20);

const stateOf = { leavesMark: false, harmless: false } as const;

export const MARK_TOOLS: readonly Tool[] = [
  writeTool({
    name: 'add_labels',
    description: 'Adds labels that the repository has to an item.',
    input: { number: itemNumber, labels },
    ...stateOf,
    target: ({ number }) => number,
    async check({ labels: wanted }, { scope, deps }) {
      // The forge ignores an unknown label and still reports success.
      const known = await deps.forge.listLabels(scope.repository);
      const missing = wanted.filter((label) => !known.includes(label));
      if (missing.length === 0) return;
      throw new Denied(
        `The repository has no label ${missing.join(', ')}. Use one of: ${known.map(inline).join(', ')}.`,
      );
    },
    async perform({ number, labels: wanted }, broker) {
      await broker.deps.forge.addLabels(broker.scope.repository, number, wanted);
      return await labelsNow(number, broker);
    },
  }),
  writeTool({
    name: 'remove_labels',
    description: 'Takes labels off an item.',
    input: { number: itemNumber, labels },
    ...stateOf,
    target: ({ number }) => number,
    async perform({ number, labels: unwanted }, broker) {
      for (const label of unwanted)
        await broker.deps.forge.removeLabel(broker.scope.repository, number, label);
      return await labelsNow(number, broker);
    },
  }),
  writeTool({
    name: 'assign',
    description: 'Assigns accounts to an item, beside those who are.',
    input: { number: itemNumber, logins },
    ...stateOf,
    target: ({ number }) => number,
    perform: async ({ number, logins: wanted }, broker) =>
      await assign(broker, number, (now) => [...now, ...wanted.filter((login) => !hasLogin(now, login))]),
  }),
  writeTool({
    name: 'unassign',
    description: 'Takes accounts off an item.',
    input: { number: itemNumber, logins },
    ...stateOf,
    target: ({ number }) => number,
    perform: async ({ number, logins: unwanted }, broker) =>
      await assign(broker, number, (now) => now.filter((login) => !hasLogin(unwanted, login))),
  }),
  writeTool({
    name: 'set_status',
    description:
      'Sets a commit status on the head of a pull request, under a context of your own (claude-hooks/<agent>/<name>): no other CI can be imitated.',
    input: {
      number: itemNumber,
      head_sha: commitSha,
      state: z.enum(['pending', 'success', 'failure', 'error']),
      name: z
        .string()
        .regex(/^[\w.-]{1,50}$/)
        .default('status'),
      description: z.string().trim().max(140).default(''),
    },
    ...stateOf,
    target: ({ number }) => number,
    async check({ number, head_sha: sha }, { scope, deps }) {
      const { pull } = await deps.forge.getItem(scope.repository, number);
      if (pull === null) throw new Denied(`#${number} is an issue. Give the number of a pull request.`);
      if (pull.headSha !== sha)
        throw new Denied(`The head of #${number} is ${pull.headSha} now. Look at it first.`);
    },
    async perform({ head_sha: sha, state, name, description }, { scope, deps }) {
      const context = `claude-hooks/${scope.agent}/${name}`;
      const status = { state, context, description: unmarked(description), targetUrl: '' };
      await deps.forge.setStatus(scope.repository, sha, status);
      return { text: `${context} is ${state} on ${sha}.` };
    },
  }),
];

async function labelsNow(number: number, { scope, deps }: Broker): Promise<{ text: string }> {
  const item = await deps.forge.getItem(scope.repository, number);
  return { text: `#${number} has the labels: ${item.labels.map(inline).join(', ') || 'none'}.` };
}

/** The forge's API only replaces the whole list, so a change that a person makes in between is lost. */
async function assign(
  { scope, deps }: Broker,
  number: number,
  change: (now: string[]) => string[],
): Promise<{ text: string }> {
  const { assignees } = await deps.forge.getItem(scope.repository, number);
  await deps.forge.setAssignees(scope.repository, number, change(assignees));
  const after = await deps.forge.getItem(scope.repository, number);
  return { text: `#${number} is assigned to: ${after.assignees.map(inline).join(', ') || 'nobody'}.` };
}
