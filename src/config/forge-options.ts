/** The option table of one forge: `forges.<name>`. */
import { z } from 'zod';
import { FORGE_KINDS } from '../forges/registry.ts';
import { FEEDBACK_LEVELS } from '../vocabulary.ts';
import { name, secret, text, url } from './option-kinds.ts';
import { mergeOption } from './team-options.ts';
import { checkWebhookSecrets, hasEverySecret } from './webhook-secrets.ts';

const account = z.strictObject({
  login: text("The account's name on the forge."),
  token: secret(
    "The account's access token; scopes: read of the user, read and write of issues and repositories.",
  ),
});

export const feedback = (description: string) => z.enum(FEEDBACK_LEVELS).meta({ description });

const repositoryName = z
  .string()
  .regex(/^[^/\s*]+\/([^/\s*]+|\*)$/)
  .meta({ 'x-expects': 'owner/name or owner/*' });

/** One secret, or a list of them while it is rotated. */
const webhookSecret = (description: string) =>
  z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).meta({
    description: `${description} A list while you rotate: any of them is accepted.`,
    'x-secret': true,
    'x-expects': `a secret as \${VARIABLE}, or a list of them`,
  });

const repository = z
  .union([
    repositoryName,
    z
      .strictObject({
        name: repositoryName,
        webhook_secret: webhookSecret(
          'A secret for the hook of this repository alone, so that administrators of other repositories do not know it.',
        ).optional(),
        feedback: feedback('As `feedback`, for this repository alone.').optional(),
        merge: mergeOption('As `team.merge`, for this repository alone.').optional(),
      })
      .refine((one) => [one.webhook_secret, one.feedback, one.merge].some((given) => given !== undefined), {
        path: ['webhook_secret'],
        error: 'is missing',
      }),
  ])
  .meta({ 'x-expects': 'owner/name or owner/*, or a mapping with name, webhook_secret, feedback and merge' });

export const forgeOptions = z
  .strictObject({
    kind: z.enum(FORGE_KINDS).meta({ description: 'Which forge it is.' }),
    url: url('Its address, as people open it.'),
    clone_url: url(
      'Where git reaches it, if that is another address: repositories are fetched from `<clone_url>/<owner>/<name>.git`. The address that the forge itself names is never used, and the token goes nowhere else.',
    ).optional(),
    webhook_secret: webhookSecret(
      'The secret of the hooks of all repositories that have none of their own; not needed when each has one.',
    ).optional(),
    repositories: z.array(repository).min(1).meta({
      description:
        'Repositories acted on: `owner/name`, or `owner/*` for all of an owner. Others are ignored. `{ name, webhook_secret }` gives a repository a secret of its own: then only that secret is accepted for it, and that secret is accepted for no other repository. `{ name, feedback }` changes what is shown there, `{ name, merge }` who merges there.',
    }),
    trusted_senders: z.array(z.string().min(1)).optional().meta({
      description:
        'Logins whose events may wake an agent, besides `required_permission`. Where the forge does not tell what somebody may do, being listed counts as permission. Without it: everybody with the permission.',
    }),
    required_permission: z.enum(['write', 'read', 'none']).default('write').meta({
      description:
        'What a sender must be allowed to do in the repository to wake an agent, as the forge answers it. `none` = everybody.',
    }),
    allowed_bots: z.array(z.string().min(1)).default([]).meta({
      description: 'Logins of other robots whose events may wake agents. Our own agents always may.',
    }),
    fork_pulls: z.boolean().default(false).meta({
      description: 'Whether agents run on pull requests from forks: code of strangers, in the container.',
    }),
    lfs: z.enum(['pointers', 'fetch']).default('pointers').meta({
      description:
        'Files that are kept in Git LFS: `pointers` leaves the pointers in the checkout and tells the agent which files they are; `fetch` puts the contents there, up to `git.max_lfs_bytes`. What agents push is sent to Git LFS either way.',
    }),
    closing_keywords: z
      .array(z.string().regex(/^\p{L}+$/u))
      .default([])
      .meta({
        description:
          "Words by which this forge closes or reopens issues, besides the usual ones: `CLOSE_KEYWORDS` and `REOPEN_KEYWORDS` of its own configuration, where its administrator changed them. In agents' texts they do nothing.",
        'x-expects': 'words of letters',
      }),
    intake: z.enum(['hooks', 'poll', 'both']).default('both').meta({
      description:
        'How news come. `hooks`: by webhooks alone; what never arrives is lost. `poll`: by [looking](reconciler.md), without any hook or public address. `both`: by webhooks, and a look every few minutes, at the start and after a gap finds what was missed.',
    }),
    look_seconds: z.int().min(5).max(86_400).optional().meta({
      description: 'Seconds between two looks. Without it: 300 beside webhooks, 30 with `intake: poll`.',
    }),
    feedback: feedback('As `feedback`, for this forge alone.').optional(),
    opt_out_labels: z.array(z.string().min(1)).default(['no-agent']).meta({
      description:
        'Labels by which an issue or pull request opts out: while it has one of them no agent is woken there, and a run in progress stops. `explain` says so.',
    }),
    accounts: z.record(name("an agent's name"), account).default({}).meta({
      description: "Each agent's account on this forge. An agent without one does not act there.",
      'x-key': 'agent',
    }),
  })
  .refine(hasEverySecret, { path: ['webhook_secret'], error: 'is missing', when: () => true })
  .superRefine(checkWebhookSecrets);
