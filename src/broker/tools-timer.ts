/** `wake_me`: the wish to be woken later. It is a row of the service: the CLI's own ways to wait end with the run. */
import { z } from 'zod';
import { Denied, type Tool, writeTool } from './tool.ts';

const LONGEST_REASON = 2000;

export const TIMER_TOOLS: readonly Tool[] = [
  writeTool({
    name: 'wake_me',
    description:
      'Wakes you later in this conversation, also after this run has ended: for something that takes hours, as a review, a release or a long build. ' +
      'Give `in_minutes` or `at` (RFC 3339), and as `reason` what you want to look at then; you are told it. End your turn meanwhile: do not wait in a shell.',
    input: {
      in_minutes: z.coerce.number().positive().optional(),
      at: z.iso.datetime({ offset: true }).optional(),
      reason: z.string().trim().min(1).max(LONGEST_REASON),
    },
    leavesMark: false,
    harmless: true,
    target: async (_input, { scope }) => (await scope.items())[0] ?? null,
    async check({ in_minutes: minutes, at }) {
      if ((minutes === undefined) === (at === undefined)) {
        throw new Denied('Give either in_minutes or at, and not both.');
      }
    },
    async perform({ in_minutes: minutes, at, reason }, { deps, mark }) {
      const dueAt = minutes === undefined ? Date.parse(at!) : Math.round(deps.now() + minutes * 60_000);
      const set = await deps.setTimer({ reason, dueAt, call: mark });
      if (set.kind === 'refused') throw new Denied(set.why);
      return { text: `You will be woken at ${new Date(set.dueAt).toISOString()}.` };
    },
  }),
];
