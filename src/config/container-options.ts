/** The option tables of the container: for all agents in claude-hooks.yaml, and what one agent sets for itself. */
import { z } from 'zod';
import { readAllowedHost } from './allowed-hosts.ts';
import { isKeptPath } from './kept-paths.ts';
import { packagePolicy } from './package-options.ts';

const MEMORY = /^[1-9]\d*(\.\d+)?[kmgt]?$/i;
const USER = /^\d+(:\d+)?$/;
const ABSOLUTE = /^\/.*/;

const path = (description: string) =>
  z.string().regex(ABSOLUTE).meta({ description, 'x-expects': 'an absolute path' });

const mount = z.strictObject({
  source: z.string().min(1).meta({
    description: 'Path on this machine; relative to the configuration file.',
  }),
  target: path('Path inside the container.'),
  access: z.enum(['read', 'write']).default('read').meta({ description: 'What the agent may do with it.' }),
});

const cache = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,39}$/)
    .meta({
      description: 'Its folder below `caches/<agent>` in the state folder.',
      'x-expects': 'lower-case letters, digits and dashes',
    }),
  target: path('Path inside the container.'),
});

const relative = (description: string) =>
  z.string().refine(isKeptPath, 'is no plain relative path').meta({
    description,
    'x-expects': 'a relative path without "..", outside of .git',
  });

/** The same keys in `container.setup` and in a repository's own file. */
const recipe = {
  commands: z.array(z.string().min(1)).optional().meta({
    description:
      'Shell commands, one after the other, each in a shell of its own; the first that fails ends them.',
  }),
  lock_files: z.array(relative('Path in the repository, as `package-lock.json`.')).optional().meta({
    description: 'Files of the base branch: when one of them changes, the commands run anew.',
  }),
  keep: z
    .array(relative('Folder in the checkout, as `node_modules`; or below HOME, as `~/.cargo/registry`.'))
    .optional()
    .meta({
      description:
        'Folders that the commands fill. They are kept as a read-only layer, and all else is thrown away.',
    }),
  timeout_minutes: z.number().positive().max(1440).optional().meta({
    description: 'Longest time for all commands. Without it: 20.',
  }),
  memory: z.string().regex(MEMORY).optional().meta({
    description: 'Most memory of the container that runs them. Without it: that of `memory`.',
    'x-expects': 'a size such as 512m or 4g',
  }),
  max_bytes: z.string().regex(MEMORY).optional().meta({
    description: 'Most that the commands may have on the disk. Without it: `10g`.',
    'x-expects': 'a size such as 512m or 4g',
  }),
};

/** `.claude-hooks/setup.yaml` of a repository's base branch. */
export const setupFileOptions = z.strictObject(recipe);

const setup = z
  .strictObject({
    ...recipe,
    repository_file: z.boolean().optional().meta({
      description:
        'Whether `.claude-hooks/setup.yaml` of the base branch replaces commands, lock_files and keep; it can only lower the limits. Without it: true.',
    }),
  })
  .optional()
  .meta({
    description:
      'Commands that run before the first run of a conversation, in its container, on the base branch; what they make is shared by all conversations of the repository.',
  });
const HOST_EXPECTED = 'a host and a port, as files.example.org:443 or *.example.org:443';

const allowedHost = z
  .string()
  .superRefine((text, issues) => {
    const read = readAllowedHost(text);
    if (read.kind === 'host') return;
    const remedy = `Write ${HOST_EXPECTED}.`;
    issues.addIssue({
      code: 'custom',
      message: `${JSON.stringify(text)} ${read.problem}`,
      params: { remedy },
    });
  })
  .meta({ 'x-expects': HOST_EXPECTED });

const size = (description: string, usual: string) =>
  z.string().regex(MEMORY).default(usual).meta({ description, 'x-expects': 'a size such as 512m or 4g' });

const byName = z.strictObject({
  allow: z
    .array(allowedHost)
    .min(1)
    .meta({
      description:
        'Hosts and ports that may be reached over TLS, as `files.example.org:443`. `*.example.org:443` is every name below example.org.',
      'x-expects': `a list of entries, each ${HOST_EXPECTED}`,
    }),
  max_sent: size('Most bytes that one run may send, over all its connections.', '64m'),
  max_received: size('Most bytes that one run may receive.', '2g'),
  max_connections: z.int().min(1).max(256).default(32).meta({ description: 'Most connections at once.' }),
});

/** What an agent's front matter may set; each key replaces the general one. */
const perAgent = {
  image: z.string().min(1).optional().meta({
    description:
      'Image for docker and podman; any with bash and git. The CLI is mounted into it. bubblewrap uses the /usr of this machine.',
  }),
  memory: z.string().regex(MEMORY).optional().meta({
    description: 'Most memory of one container, as `4g`. Without it: no limit.',
    'x-expects': 'a size such as 512m or 4g',
  }),
  cpus: z.number().positive().max(1024).optional().meta({
    description: 'Processor cores of one container. Without it: no limit.',
  }),
  pids: z.int().min(16).max(1_000_000).optional().meta({
    description: 'Most processes and threads of one container. Without it: 2048.',
  }),
  user: z.string().regex(USER).optional().meta({
    description:
      'Numeric user, or user:group, inside the container. Without it: that of the service. Do not change it unless the service runs as root: nobody else can give the new user the files of conversations that are there.',
    'x-expects': 'a number, or two with a colon, as 1000:1000',
  }),
  network: z
    .union([z.enum(['none', 'host']), byName])
    .optional()
    .meta({
      description:
        'The network of the container. `none`, the default, is enough: model, forge and git come through sockets and mounts. `{ allow: […] }` is none as well, with a [proxy to these hosts](network.md#names-for-agents). `host` is all of this machine.',
      'x-expects': 'none, host, or a mapping with allow',
    }),
  mounts: z
    .array(mount)
    .optional()
    .meta({ description: 'Further files and folders of this machine inside the container.' }),
  tools: z
    .array(z.enum(['design-review']))
    .optional()
    .meta({
      description:
        'Tools of this package inside the container, read-only. `design-review`: [shots of web pages](design-review.md), for which the container needs Chromium.',
    }),
  setup,
  caches: z.array(cache).optional().meta({
    description: 'Folders that outlive the container, shared by all conversations of the agent.',
  }),
};

const packages = packagePolicy.optional().meta({
  description: 'What it may install through the package door. Without it: `packages.policy`.',
});

export const agentContainerOptions = z
  .strictObject({ ...perAgent, packages })
  .prefault({})
  .meta({
    description: 'Its own container settings; each key replaces the general one.',
  });

export const containerOptions = z
  .strictObject({
    engine: z.enum(['auto', 'docker', 'podman', 'bubblewrap', 'process']).default('auto').meta({
      description:
        'Where the CLI runs. `auto` takes docker, podman or bubblewrap, whichever works first. `process` is a bare process with the rights of the service: no isolation, so it must be asked for by name.',
    }),
    ...perAgent,
    layers: z
      .strictObject({
        unused_days: z.number().positive().max(3650).default(14).meta({
          description: 'A layer that no run has used for so long is removed.',
        }),
        max_bytes: z.string().regex(MEMORY).default('20g').meta({
          description:
            'Most that all layers may take; beyond it those that were not used for longest are removed.',
          'x-expects': 'a size such as 512m or 4g',
        }),
      })
      .prefault({})
      .meta({ description: 'How long what set-up commands made is kept.' }),
    runtime: z.string().min(1).optional().meta({
      description:
        'The program that starts containers for docker or podman, by name or path: `runsc` (gVisor), `crun`, `runc`, `kata`. Without it: as docker or podman chooses. [What each needs](containers.md#runtimes).',
    }),
    program_args: z.array(z.string()).default([]).meta({
      description: 'Arguments for docker or podman before `run`, as `["--runtime", "runc"]`.',
    }),
    run_args: z
      .array(z.string())
      .default([])
      .meta({ description: 'Further arguments of `docker run` or `podman run`.' }),
    musl_cli_path: z.string().min(1).optional().meta({
      description:
        "The CLI's musl build, for images such as Alpine. Without it: the one that is installed beside the pinned CLI.",
    }),
  })
  .prefault({})
  .meta({ description: 'Where agents run, and with what.' });
