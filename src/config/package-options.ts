/** The option table of the package door: which registries the service reads for its agents, and what may pass. */
import { z } from 'zod';
import { ECOSYSTEMS, type EcosystemName, PACKAGE_POLICIES } from '../vocabulary.ts';

const HOST = /^[a-z0-9.-]+(:\d{1,5})?$/i;
const BYTES = 1024 ** 2;

/** The public registry of each ecosystem, and the other hosts that it sends its readers to. */
export const PUBLIC_REGISTRIES: Readonly<Record<EcosystemName, { url: string; hosts: readonly string[] }>> = {
  npm: { url: 'https://registry.npmjs.org', hosts: [] },
  pypi: { url: 'https://pypi.org/simple', hosts: ['files.pythonhosted.org'] },
  crates: { url: 'https://index.crates.io', hosts: ['static.crates.io', 'crates.io'] },
  go: { url: 'https://proxy.golang.org', hosts: [] },
  maven: { url: 'https://repo.maven.apache.org/maven2', hosts: [] },
};

const secret = (description: string) =>
  z.string().min(1).optional().meta({
    description,
    'x-secret': true,
    'x-expects': `a secret as \${VARIABLE}`,
  });

const registry = (name: EcosystemName) =>
  z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/ })
        .default(PUBLIC_REGISTRIES[name].url)
        .meta({ description: 'Its address.', 'x-expects': 'an http:// or https:// address' }),
      artefact_hosts: z.array(z.string().regex(HOST)).optional().meta({
        description:
          'Other hosts that its files may come from, as `host` or `host:port`: a redirect or a link to any other host is refused. They get no credential. Without it: what the public registry has, and none for another `url`.',
        'x-expects': 'a list of host names',
      }),
      token: secret('Sent as `Authorization: Bearer`. Agents never see it.'),
      username: z
        .string()
        .min(1)
        .optional()
        .meta({ description: 'With `password`: sent as `Authorization: Basic`.' }),
      password: secret('See `username`.'),
      header: secret('Instead: a whole header, as `X-JFrog-Art-Api: …`, for a registry that wants another.'),
    })
    .superRefine((one, issues) => {
      const ways = [one.token, one.password, one.header].filter((way) => way !== undefined).length;
      const add = (path: string, message: string) =>
        issues.addIssue({ code: 'custom', path: [path], message });
      if (ways > 1) add('token', 'one of token, password and header, and only one');
      if ((one.username === undefined) !== (one.password === undefined)) {
        add('username', 'username and password together, or neither');
      }
      if (one.header !== undefined && !/^[A-Za-z0-9-]+: *[!-~ ]+$/.test(one.header)) {
        add('header', 'a name, a colon and a value');
      }
    })
    .prefault({})
    .meta({ description: `The registry for ${name}.` });

export const packagePolicy = z.enum(PACKAGE_POLICIES);

export const packages = z
  .strictObject({
    policy: packagePolicy.default('off').meta({
      description:
        'What agents may install. `off`: there is no package door. `lockfile`: a file passes if its hash stands in a lock file of the base branch, or of a commit that a person approved (`claude-hooks packages approve`). `registry`: whatever the registries serve. `container.packages` of an agent counts in its place.',
    }),
    registries: z
      .strictObject(Object.fromEntries(ECOSYSTEMS.map((name) => [name, registry(name)])) as Registries)
      .prefault({})
      .meta({ description: 'Where packages come from. The service fetches them, and only reads.' }),
    cache: z
      .strictObject({
        max_bytes: z
          .int()
          .min(BYTES)
          .default(10 * 1024 ** 3)
          .meta({
            description:
              'Most bytes of packages kept in `packages/` of the state folder (10 GiB). Above it, what was used longest ago goes.',
          }),
      })
      .prefault({})
      .meta({ description: 'Files that were fetched, shared by all agents.' }),
    limits: z
      .strictObject({
        requests: z.int().min(1).default(20_000).meta({ description: 'Most requests of one dispatch.' }),
        bytes: z
          .int()
          .min(BYTES)
          .default(4 * 1024 ** 3)
          .meta({ description: 'Most bytes that one dispatch is given (4 GiB).' }),
        seconds: z.int().min(1).max(3600).default(300).meta({
          description: 'Longest time for one answer of a registry, from the question to its last byte.',
        }),
      })
      .prefault({})
      .meta({ description: 'Limits of the package door.' }),
  })
  .prefault({})
  .meta({ description: 'The [package door](packages.md): npm, pip, cargo and others without a network.' });

type Registries = Record<EcosystemName, ReturnType<typeof registry>>;
