/** The option table of `budgets`: how much may be spent, by whom, in which time, and when no run begins. */
import { z } from 'zod';

const caps = (of: string) =>
  z
    .strictObject({
      usd: z
        .number()
        .positive()
        .optional()
        .meta({ description: 'US dollars at list prices. A model without a price is then refused.' }),
      tokens: z
        .int()
        .min(1)
        .optional()
        .meta({ description: 'New input, cache writes and output; cache reads are not counted.' }),
    })
    .optional()
    .meta({ description: `Most that may be spent ${of}.` });

const QUIET =
  /^((mon|tue|wed|thu|fri|sat|sun)(,(mon|tue|wed|thu|fri|sat|sun))* )?([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$/;

const quietHours = z.array(z.string().regex(QUIET)).optional().meta({
  description:
    'Hours in which no run begins, as `22:00-06:00` or `sat,sun 00:00-24:00` (the days on which they begin). What runs goes on.',
  'x-expects': 'a list of hours as 22:00-06:00 or sat,sun 00:00-24:00',
});

const startWhenLeft = z.int().min(0).max(100).optional().meta({
  description:
    'A run begins only while this many percent of each of its budgets are left, so that it is not cut off soon after.',
});

const own = {
  conversation: caps('on one conversation, in all its time'),
  day: caps('in a day'),
  quiet_hours: quietHours,
  start_when_left_percent: startWhenLeft,
};

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const budgetOptions = z
  .strictObject({
    time_zone: z.string().min(1).refine(isTimeZone).default('UTC').meta({
      description: 'Where days and months begin, and what quiet hours mean: a name as `Europe/Berlin`.',
      'x-expects': 'the name of a time zone, as UTC or Europe/Berlin',
    }),
    warn_percent: z.int().min(1).max(100).default(80).meta({
      description: 'When so much of a budget is spent, the log and the metrics say so, once in its period.',
    }),
    run: caps('in one dispatch, besides the `max_run_…` of its agent'),
    conversation: caps('on one conversation, in all its time'),
    repository_day: caps('in one repository in a day'),
    agent_day: caps('by one agent in a day'),
    day: caps('by all agents in a day'),
    month: caps('by all agents in a month'),
    quiet_hours: quietHours,
    start_when_left_percent: startWhenLeft,
    agents: z
      .record(z.string().min(1), z.strictObject({ run: caps('in one dispatch'), ...own }))
      .default({})
      .meta({ description: 'Values of one agent, in place of the general ones.', 'x-key': 'agent' }),
    repositories: z
      .record(
        z
          .string()
          .regex(/^[^/\s*]+\/[^/\s*]+$/)
          .meta({ 'x-expects': 'owner/name' }),
        z.strictObject(own),
      )
      .default({})
      .meta({
        description:
          'Values of one repository, as `owner/name`, in place of the general ones and of its agents’.',
        'x-key': 'owner/name',
      }),
  })
  .prefault({})
  .meta({
    description:
      'How much may be spent, see [budgets](budgets.md). Nothing is limited that is not named. What is spent is held until its period ends.',
  });
