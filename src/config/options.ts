/**
 * The option table of claude-hooks.yaml. It drives validation, defaults, error texts, docs/configuration.md and
 * claude-hooks.schema.json; after a change run `npm run docs`.
 */
import { z } from 'zod';
import { budgetOptions as budgets } from './budget-options.ts';
import { containerOptions as container } from './container-options.ts';
import { feedback, forgeOptions as forge } from './forge-options.ts';
import { mcpServers } from './mcp-options.ts';
import { name, seconds, secret, text, url } from './option-kinds.ts';
import { packages } from './package-options.ts';
import { team } from './team-options.ts';
import { court, reconciler } from './watch-options.ts';

const server = z
  .strictObject({
    host: z.string().min(1).default('127.0.0.1').meta({
      description:
        'Address to listen on. `0.0.0.0` opens the service to the network: put TLS in front of it.',
    }),
    port: z.int().min(0).max(65_535).default(8787).meta({ description: 'TCP port; 0 takes a free one.' }),
    max_body_bytes: z.int().min(1024).default(26_214_400).meta({
      description:
        'Largest webhook body, in bytes (25 MiB). A larger one is answered with 413. At most two bodies of this size are taken at once from one address, four from all; more are answered with 429.',
    }),
    public_url: url(
      'Where the forges reach this service. `doctor` recognises our hooks by it, and shows it in the addresses of hooks.',
    ).optional(),
  })
  .prefault({})
  .meta({ description: 'The HTTP server that takes webhooks.' });

const database = z
  .strictObject({
    url: z
      .string()
      .regex(/^(sqlite:.+|postgres(ql)?:\/\/.+)$/)
      .optional()
      .meta({
        description:
          'SQLite file or PostgreSQL address; a pgbouncer in front of it needs `pool_mode` transaction or session. Without it: `claude-hooks.db` in the state folder.',
        'x-secret': true,
        'x-expects': `sqlite:<path> or postgres://user:\${PASSWORD}@host/name`,
      }),
  })
  .prefault({})
  .meta({ description: 'Where deliveries, conversations and transcripts are kept.' });

const model = z
  .strictObject({
    upstream: url('Base URL of the Messages API; a path is kept.').default('https://api.anthropic.com'),
    api_key: secret('Key for the model; sent as `x-api-key`. Agents never see it.').optional(),
    auth_token: secret(
      'Instead of `api_key`: a token sent as `Authorization: Bearer`, as OAuth, Bedrock and Vertex proxies want it.',
    ).optional(),
    default: z.string().min(1).default('sonnet').meta({
      description:
        'Model of agents that name none: `haiku`, `sonnet` and `opus` stand for the newest that the CLI of this release knows, or a full name.',
    }),
    small: text(
      'What `haiku` stands for: the model of subagents that ask for it, and of an agent whose `model` is `haiku`. Without it: the newest that the CLI of this release knows.',
    ).optional(),
    retries: z.int().min(0).max(10).default(2).meta({
      description:
        'How often the CLI itself repeats a request that failed, within seconds. What lasts longer puts the dispatch off.',
    }),
    idle_seconds: z.int().min(10).max(3600).default(120).meta({
      description:
        'A model that is silent for this long, before its answer or within it, is asked again. An answer that comes in one piece must be complete in this time.',
    }),
  })
  .superRefine((model, issues) => {
    const given = [model.api_key, model.auth_token].filter((secret) => secret !== undefined).length;
    if (given === 1) return;
    const path = [given === 0 ? 'api_key' : 'auth_token'];
    issues.addIssue({ code: 'custom', path, message: 'one of api_key and auth_token, and only one' });
  })
  .meta({ description: 'The model behind the agents.' });

const network = z
  .strictObject({
    proxy: secret(
      'Proxy for everything that leaves this machine over HTTP: the model, the API of forges, git and Git LFS. Without it: what the environment says (`http_proxy`, `https_proxy`, `all_proxy`). This machine itself is always reached directly, and agents have no network of their own.',
    )
      .meta({ 'x-expects': 'an http:// or https:// address' })
      .optional(),
    no_proxy: z
      .array(z.string().regex(/^[^\s,/]+(\/\d{1,3})?$/))
      .optional()
      .meta({
        description:
          'What is reached without it: `git.example.org` or `.example.org` (with all below it), `10.0.0.0/8`, `*` for everything. Without it: what `no_proxy` says in the environment.',
        'x-expects': 'a list of host names, addresses or networks',
      }),
    ca_file: text(
      'Certificates of your own authorities, in PEM form; relative to this file. They are trusted besides those of the system and those that Node brings along, by git as well.',
    ).optional(),
  })
  .prefault({})
  .meta({
    description:
      'How HTTP leaves this machine, for the service and its git alike; counts from the next start, see [behind a proxy](network.md).',
  });

const paths = z.array(z.string().regex(/^(?:\*\*\/)?[^\s/]+(?:\/[^\s/]+)*\/?$/)).default([]);

const git = z
  .strictObject({
    max_push_bytes: z
      .int()
      .min(1024)
      .default(104_857_600)
      .meta({ description: 'Largest pack an agent may push, in bytes (100 MiB).' }),
    max_lfs_bytes: z.int().min(0).default(1_073_741_824).meta({
      description:
        'Most bytes of Git LFS contents that one push may send, or that are fetched for one checkout (1 GiB).',
    }),
    protected_files: paths.meta({
      description:
        'More files that agents may not push changes of, besides [those that run code elsewhere](protected-files.md): `.env`, `deploy/` (all in it), `**/*.pem` (in any folder).',
      'x-expects': 'a list of paths with * in names',
    }),
    unprotected_files: paths.meta({
      description:
        'Files that agents may push although they are [protected](protected-files.md), for example `.gitattributes`. Agents with `workflow_files` may push those of CI besides.',
      'x-expects': 'a list of paths with * in names',
    }),
    signing_key_file: text(
      'SSH private key that signs the commits of all agents. It stays outside the containers. Without it: unsigned.',
    ).optional(),
  })
  .prefault({})
  .meta({ description: 'What agents may push, and how their commits are signed.' });

const smoke = z
  .strictObject({
    every_minutes: z.int().min(0).max(10_080).default(0).meta({
      description:
        'How often the service runs the smoke checks by itself and publishes how many passed; 0 = never.',
    }),
  })
  .prefault({})
  .meta({ description: 'Checks of credentials and of continuity, see `claude-hooks smoke`.' });

const worker = z
  .strictObject({
    concurrency: z.int().min(1).max(256).default(4).meta({ description: 'Dispatches that run at once.' }),
    drain_seconds: seconds('How long a stop waits for running dispatches before it interrupts them.', 60, 0),
    late_messages_seconds: seconds(
      'How long the CLI may take to end when nothing more is to come from the model.',
      10,
      0,
    ),
    background_seconds: seconds(
      'How long a run waits for subagents and commands that the model left in the background when it ended its turn. What still runs then is stopped, and the answer says so.',
      900,
      0,
    ),
    lease_seconds: seconds('A worker silent for this long loses its conversations to another one.', 30, 5),
    run_timeout_minutes: z
      .int()
      .min(1)
      .max(1440)
      .default(60)
      .meta({ description: 'Longest run of one dispatch.' }),
    cli_path: text('Another Claude Code binary than the pinned one; relative to this file.').optional(),
  })
  .prefault({})
  .meta({ description: 'The process that runs dispatches.' });

const mailbox = z
  .strictObject({
    quiet_seconds: z.number().min(0).max(86_400).default(0.3).meta({
      description:
        'A conversation is dispatched when nothing has arrived for this long, so that a burst is one dispatch. What comes later reaches the run that is under way.',
    }),
    steering: z.boolean().default(true).meta({
      description:
        'Comments, `say` and timers reach the run that is under way, at its next step. Without it they wait for a dispatch of their own.',
    }),
    timers_most: z.int().min(0).max(1000).default(5).meta({
      description: 'Timers of one conversation that may wait at once (the forge tool `wake_me`); 0 = none.',
    }),
    timers_shortest_seconds: seconds('A timer is due no sooner than this.', 60),
    timers_longest_days: z
      .int()
      .min(1)
      .max(366)
      .default(30)
      .meta({ description: 'A timer is due no later than this.' }),
    max_wait_seconds: seconds('…or when its oldest message has waited this long.', 60, 0),
  })
  .prefault({})
  .meta({ description: 'How bursts of events become one dispatch. An agent may set its own values.' });

const sessions = z
  .strictObject({
    archive: z.boolean().default(true).meta({
      description: 'Keep a byte-exact copy of every transcript in the database, to resume from on any host.',
    }),
    flush_milliseconds: z.int().min(10).max(60_000).default(250).meta({
      description: 'How often a growing transcript is copied to the archive.',
    }),
    max_failed_resumes: z.int().min(1).max(10).default(2).meta({
      description:
        'After this many failed resumes in a row a session is abandoned and rebuilt from our record.',
    }),
  })
  .prefault({})
  .meta({ description: 'What keeps conversations continuous.' });

const metrics = z
  .strictObject({
    host: z.string().min(1).default('127.0.0.1').meta({
      description: 'Address for `port`.',
    }),
    port: z.int().min(0).max(65_535).optional().meta({
      description:
        'TCP port for `/metrics`, `/healthz` and `/readyz`; 0 takes a free one. They are then served on this port only. Without it they are served on the port of the webhooks.',
    }),
  })
  .prefault({})
  .meta({ description: 'Where [metrics](metrics.md) and health are served.' });

const log = z
  .strictObject({
    level: z
      .enum(['debug', 'info', 'warn', 'error'])
      .default('info')
      .meta({ description: 'Least level written.' }),
    format: z.enum(['auto', 'json', 'pretty']).default('auto').meta({
      description:
        'A line for each event: `json` for machines, `pretty` for people, `auto` = pretty on a terminal, else json.',
    }),
  })
  .prefault({})
  .meta({ description: 'Logging, to standard output.' });

const folder = (what: string, rule: string) =>
  text(`Folder with your ${what}. ${rule} Without it: \`./${what}\` when it exists.`).optional();

const OVERRIDES = 'A file there replaces the shipped one of the same name.';

export const options = z.strictObject({
  server,
  state: z.string().min(1).default('./state').meta({
    description: 'Folder for everything the service writes. One installation, one folder.',
  }),
  database,
  model,
  container,
  worker,
  budgets,
  court,
  team,
  mailbox,
  sessions,
  git,
  network,
  packages,
  mcp_servers: mcpServers,
  smoke,
  reconciler,
  metrics,
  log,
  feedback: feedback(
    'What the forge shows of the work besides answers. `reaction`: the agent puts eyes on what woke it. `full`: it also sets a commit status on pull requests, has one status comment for a run that takes longer than a minute, and says why somebody may not wake it. `none`: answers alone. See [what people see](what-people-see.md).',
  ).default('full'),
  disclosure: z
    .string()
    .max(500)
    .default(
      'An AI agent made this pull request. Please review it as you would anybody’s; `/claude explain` in a comment says what it is doing.',
    )
    .meta({
      description:
        'The line under the description of every pull request that an agent opens, so that everybody knows who made it. Empty = none.',
    }),
  forges: z
    .record(name('a name you choose'), forge)
    .refine((forges) => Object.keys(forges).length > 0)
    .meta({
      description: 'The forges to listen to, by a name you choose.',
      'x-key': 'forge',
      'x-expects': 'at least one forge by a name you choose',
    }),
  agents: folder('agents', OVERRIDES),
  flows: folder('flows', 'A flow there changes the shipped one of the same name.'),
  skills: folder('skills', OVERRIDES),
});

export type Options = z.output<typeof options>;
