/** The option table of `team`: how agents carry a pull request to its merge. */
import { z } from 'zod';

export const mergeOption = (description: string) => z.enum(['people', 'boss']).meta({ description });

export const team = z
  .strictObject({
    merge: mergeOption(
      'Who merges a pull request of an agent that is approved, green and free of conflicts. `people`: it is left to them, and listed in `inbox`. `boss`: the agent `boss` does it. Every merge by an agent is refused with `people`.',
    ).default('people'),
    review_rounds: z.int().min(1).max(20).default(3).meta({
      description:
        'How often reviewers may ask for changes on one pull request before a person is asked. A review by a person begins the count anew.',
    }),
  })
  .prefault({})
  .meta({ description: 'How agents carry a pull request to its merge; see [the team](team.md).' });
