/** The option tables of what watches the work: the loop court, and the reconciler. */
import { z } from 'zod';
import { RULES } from '../vocabulary.ts';
import { seconds } from './option-kinds.ts';

export const court = z
  .strictObject({
    runs_by_agents: z.int().min(1).max(1000).default(6).meta({
      description:
        'Runs in a row that only our own agents woke, before the conversation is held for a person.',
    }),
    runs_by_robots: z.int().min(1).max(1000).default(10).meta({
      description:
        'Runs in a row that only programs woke (CI, robots, our agents), before the conversation is held for a person.',
    }),
    runs_per_hour: z.int().min(1).max(10_000).default(20).meta({
      description: 'Runs of all agents on one item within an hour; more of them wait until the hour is over.',
    }),
    runs_without_progress: z.int().min(1).max(1000).default(3).meta({
      description:
        'Runs in a row that left nothing of what they were for, before the conversation is held for a person.',
    }),
    robots: z.array(z.string().min(1)).default([]).meta({
      description:
        'Logins of accounts that are programs, besides our agents, `allowed_bots` and the robots that the forge names.',
    }),
  })
  .prefault({})
  .meta({
    description:
      'When a conversation runs in a circle, it is [held](budgets.md#the-loop-court) until a person resumes it.',
  });

export const reconciler = z
  .strictObject({
    overlap_seconds: seconds(
      'How far back each look reads again what an earlier one has read: more than the clocks of the forge and its database differ.',
      120,
      0,
    ),
    rules: z
      .partialRecord(z.enum(RULES), z.enum(['off', 'report', 'act']))
      .default({})
      .meta({
        description:
          'What to do about what no event tells, by [rule](reconciler.md#rules): `report` lists it in `claude-hooks stuck`, `act` does something about it besides, at most once in six hours. Rules that are not named here report.',
        'x-key': 'rule',
        'x-expects': 'off, report or act for each of the rules',
      }),
  })
  .prefault({})
  .meta({
    description: 'How [looks](reconciler.md) at the forges are made; `intake` of a forge says whether.',
  });
