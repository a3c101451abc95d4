/**
 * Four real projects, built and tested in a container without a network, through the package door, from the registries that
 * this machine's own clients are set to. Lock files are made by those clients, outside.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RegistrySettings } from '../src/config/config.ts';
import { PUBLIC_REGISTRIES } from '../src/config/package-options.ts';
import { DOOR_PORTS } from '../src/container/doors.ts';
import { migrate, openDatabase } from '../src/database/database.ts';
import type { EcosystemName } from '../src/vocabulary.ts';
import { lockedIn, openStage, runBehindDoor } from '../test/packages/door-stage.ts';
import { toolchainsFor } from '../test/packages/toolchains.ts';
import { type TestEngine, testEngines } from '../test/support/engines.ts';
import type { Bench } from './bench.ts';
import { figure, type PartReport } from './report.ts';

const BUILDS = ['node', 'python', 'rust', 'go'] as const;
/** The Node and Python projects again, by other tools. */
const TOOLS = ['pnpm', 'yarn1', 'uv'] as const;
/** Its lock file has no hashes of what a registry serves, so it needs the policy `registry`. */
const BY_REGISTRY = ['yarn4'] as const;
const PROJECTS = [...BUILDS, ...TOOLS, ...BY_REGISTRY];
const LOCKS = [
  'node/package-lock.json',
  'python/requirements.txt',
  'rust/Cargo.lock',
  'go/go.sum',
  'pnpm/pnpm-lock.yaml',
  'yarn1/yarn.lock',
  'uv/requirements.txt',
];
const TOOL_VERSIONS = { pnpm: '10.34.8', yarn: '1.22.22', '@yarnpkg/cli-dist': '4.18.1' };
const DOOR = `http://127.0.0.1:${DOOR_PORTS.packages}/npm`;
const TOOLS_INSIDE = '/opt/bench-tools';

/** What each project depends on: esbuild and MarkupSafe have a native part that is prebuilt. */
const FILES: Readonly<Record<string, string>> = {
  'node/package.json': '{"name":"demo","version":"1.0.0","dependencies":{"esbuild":"0.25.0"}}',
  'node/demo.test.js': `const { test } = require('node:test');\nconst { transformSync } = require('esbuild');\ntest('it compiles', (t) => t.assert.match(transformSync('let a: number = 1', { loader: 'ts' }).code, /let a = 1/));\n`,
  'python/test_demo.py':
    'import unittest\nfrom markupsafe import _speedups, escape\n\nclass Demo(unittest.TestCase):\n    def test_it(self):\n        self.assertEqual(str(escape("<")), "&lt;")\n',
  'rust/Cargo.toml':
    '[package]\nname = "demo"\nversion = "1.0.0"\nedition = "2021"\n\n[dependencies]\nitoa = "1"\nsemver = "1"\n',
  'rust/src/lib.rs':
    '#[test]\nfn it_works() {\n    assert_eq!(itoa::Buffer::new().format(7), semver::Version::new(7, 0, 0).major.to_string());\n}\n',
  'go/go.mod': 'module example.org/demo\n\ngo 1.19\n\nrequire rsc.io/quote v1.5.2\n',
  'go/demo_test.go':
    'package demo\n\nimport (\n\t"testing"\n\n\t"rsc.io/quote"\n)\n\nfunc TestIt(t *testing.T) {\n\tif quote.Go() == "" {\n\t\tt.Fail()\n\t}\n}\n',
};

const STEP = `
step() {
  local began=$EPOCHREALTIME
  if (cd "$1" && eval "$2") > "$TMPDIR/$1.log" 2>&1; then echo "$1 $began $EPOCHREALTIME"
  else echo "$1 FAILED"; tail -n 20 "$TMPDIR/$1.log"; fi
}
`;
const LOCKED_STEPS = `${STEP}
step node 'npm ci && node --test'
step python 'python3 -m pip install --target deps --require-hashes -r requirements.txt && PYTHONPATH=deps python3 -m unittest'
step rust 'cargo test --locked'
step go 'go test ./...'
step pnpm 'node ${TOOLS_INSIDE}/node_modules/pnpm/bin/pnpm.cjs install --frozen-lockfile && node --test'
step yarn1 'node ${TOOLS_INSIDE}/node_modules/yarn/bin/yarn.js install --frozen-lockfile --non-interactive && node --test'
step uv '${TOOLS_INSIDE}/python/bin/uv pip install --python /usr/bin/python3 --target deps --require-hashes -r requirements.txt && PYTHONPATH=deps python3 -m unittest'
`;
const REGISTRY_STEPS = `${STEP}
step yarn4 'node ${TOOLS_INSIDE}/node_modules/@yarnpkg/cli-dist/bin/yarn.js install --immutable && node --test'
`;

interface Row {
  engine: string;
  round: string;
  /** seconds by project; null = it failed */
  took: Record<string, number | null>;
  passed: number;
  refused: number;
}

export async function measurePackageBuilds(bench: Bench): Promise<PartReport> {
  const checkout = join(bench.folder, 'projects');
  const tools = join(bench.folder, 'tools');
  await fetchTools(tools);
  await makeProjects(checkout, tools);
  const registries = await registriesOfThisMachine();
  const rows: Row[] = [];
  for (const engine of testEngines().filter(
    ({ name, need }) => need.ok && /^(bubblewrap|podman)$/.test(name),
  )) {
    const folder = join(bench.folder, engine.name);
    mkdirSync(folder, { recursive: true });
    const database = openDatabase({ url: `sqlite:${join(folder, 'rows.db')}` });
    await migrate(database);
    const stage = openStage({ folder, database, registries });
    for (const round of ['first', 'cached'])
      rows.push(await buildAll(bench, { engine, folder, checkout, tools, stage, round }));
    await stage.packages.close();
    await database.close();
  }
  return report(rows);
}

interface Round {
  engine: TestEngine;
  folder: string;
  checkout: string;
  /** what `fetchTools` has filled */
  tools: string;
  stage: ReturnType<typeof openStage>;
  round: string;
}

async function buildAll(
  bench: Bench,
  { engine, folder, checkout, tools, stage, round }: Round,
): Promise<Row> {
  const own = join(folder, round, 'checkout');
  cpSync(checkout, own, { recursive: true });
  const before = stage.attempts.length;
  const { mounts, path } = toolchainsFor(engine.name);
  const locks = Object.fromEntries(LOCKS.map((file) => [file, readFileSync(join(own, file), 'utf8')]));
  const build = {
    engine,
    stage,
    folder: join(folder, round),
    checkout: own,
    mounts: [...mounts, { source: tools, target: TOOLS_INSIDE, access: 'read' as const }],
    path,
    locked: lockedIn(locks),
  };
  const ran = [
    await runBehindDoor({ ...build, policy: 'lockfile', commands: LOCKED_STEPS }),
    await runBehindDoor({ ...build, policy: 'registry', commands: REGISTRY_STEPS }),
  ];
  const out = ran.map((one) => one.out).join('');
  if (/FAILED/.test(out)) bench.say(out + ran.map(({ err }) => err).join(''));
  const attempts = stage.attempts.slice(before);
  const passed = attempts.filter(({ verdict }) => verdict === 'passed').length;
  const took = Object.fromEntries(PROJECTS.map((name) => [name, secondsOf(out, name)]));
  bench.say(
    `  ${engine.name}, ${round}: ${JSON.stringify(took)}, ${passed} of ${attempts.length} requests passed`,
  );
  for (const { action, reason } of attempts.filter(({ verdict }) => verdict !== 'passed')) {
    bench.say(`    ${action}: ${reason}`);
  }
  return { engine: engine.name, round, took, passed, refused: attempts.length - passed };
}

function secondsOf(out: string, project: string): number | null {
  const [, from, to] = new RegExp(`^${project} ([0-9.]+) ([0-9.]+)$`, 'm').exec(out) ?? [];
  return from === undefined ? null : Number(to) - Number(from);
}

/** Package managers that this machine has not: programs from packages of npm and PyPI. */
async function fetchTools(tools: string): Promise<void> {
  mkdirSync(tools, { recursive: true });
  const here = { cwd: tools };
  const packages = Object.entries(TOOL_VERSIONS).map(([name, version]) => `${name}@${version}`);
  await run('npm', ['install', '--prefix', tools, '--no-audit', '--no-fund', ...packages], here);
  const target = ['--target', join(tools, 'python')];
  await run('/usr/bin/python3', ['-m', 'pip', 'install', '--quiet', ...target, 'uv==0.13.9'], here);
}

async function makeProjects(checkout: string, tools: string): Promise<void> {
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(join(checkout, path, '..'), { recursive: true });
    writeFileSync(join(checkout, path), text);
  }
  const at = (name: string) => ({ cwd: join(checkout, name) });
  await run('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund'], at('node'));
  await run('cargo', ['generate-lockfile', '--quiet'], at('rust'));
  await run('go', ['mod', 'tidy'], at('go'));
  const wheels = join(checkout, 'wheels');
  await run(
    '/usr/bin/python3',
    ['-m', 'pip', 'download', '--quiet', '--no-deps', '-d', wheels, 'MarkupSafe==3.0.2'],
    at('python'),
  );
  const content = readFileSync(join(wheels, readdirSync(wheels)[0]!));
  const hash = createHash('sha256').update(content).digest('hex');
  writeFileSync(join(checkout, 'python/requirements.txt'), `MarkupSafe==3.0.2 --hash=sha256:${hash}\n`);
  cpSync(join(checkout, 'python'), join(checkout, 'uv'), { recursive: true });
  await makeForOtherTools(checkout, tools);
}

async function makeForOtherTools(checkout: string, tools: string): Promise<void> {
  const modules = join(tools, 'node_modules');
  const make = async (name: string, script: string, args: string[]) => {
    const cwd = join(checkout, name);
    mkdirSync(cwd, { recursive: true });
    for (const file of ['package.json', 'demo.test.js'])
      cpSync(join(checkout, 'node', file), join(cwd, file));
    await run(process.execPath, [join(modules, script), 'install', ...args], { cwd });
    for (const made of ['node_modules', '.pnp.cjs', '.yarn']) {
      rmSync(join(cwd, made), { recursive: true, force: true });
    }
  };
  await make('pnpm', 'pnpm/bin/pnpm.cjs', ['--lockfile-only']);
  await make('yarn1', 'yarn/bin/yarn.js', ['--non-interactive', '--ignore-scripts']);
  const lock = join(checkout, 'yarn1/yarn.lock');
  // Yarn 1 asks the addresses that its lock file names, so they must be those of the door.
  const moved = readFileSync(lock, 'utf8').replace(
    /"https?:\/\/[^"]*?\/((?:@[^/"]+\/)?[^/"]+\/-\/)/g,
    `"${DOOR}/$1`,
  );
  writeFileSync(lock, moved);
  mkdirSync(join(checkout, 'yarn4'));
  writeFileSync(join(checkout, 'yarn4/.yarnrc.yml'), 'nodeLinker: node-modules\nenableGlobalCache: false\n');
  writeFileSync(join(checkout, 'yarn4/yarn.lock'), '');
  await make('yarn4', '@yarnpkg/cli-dist/bin/yarn.js', ['--mode=update-lockfile', '--no-immutable']);
}

/** As npm, pip and go are set; Cargo's replaced sources are not looked for. */
async function registriesOfThisMachine(): Promise<Record<EcosystemName, RegistrySettings>> {
  const here = { cwd: '/' };
  const set: Partial<Record<EcosystemName, string>> = {
    npm: (await run('npm', ['config', 'get', 'registry'], here)).trim(),
    pypi: (
      await run('/usr/bin/python3', ['-m', 'pip', 'config', 'get', 'global.index-url'], here).catch(() => '')
    ).trim(),
    go: (await run('go', ['env', 'GOPROXY'], here)).split(/[,|]/)[0]!.trim(),
  };
  const entries = Object.entries(PUBLIC_REGISTRIES).map(([name, known]) => {
    const url = (set[name as EcosystemName] || known.url).replace(/\/+$/, '');
    return [name, { url, artefactHosts: known.hosts, headers: {} }] as const;
  });
  return Object.fromEntries(entries) as Record<EcosystemName, RegistrySettings>;
}

async function run(command: string, args: string[], o: { cwd: string }): Promise<string> {
  return (await promisify(execFile)(command, args, { ...o, encoding: 'utf8' })).stdout;
}

function report(rows: readonly Row[]): PartReport {
  const built = (names: readonly string[]) =>
    rows.filter(({ took }) => names.every((name) => took[name] != null)).length;
  const goal = (what: string, names: readonly string[]) => ({
    ...{ what, wanted: `${rows.length} of ${rows.length}`, measured: `${built(names)} of ${rows.length}` },
    met: rows.length > 0 && built(names) === rows.length,
  });
  const cell = (seconds: number | null | undefined) => (seconds == null ? 'failed' : figure(seconds));
  return {
    title: 'Real builds through the package door',
    method: [
      'Four projects with tests, built in a container without a network with the policy `lockfile`, from the public registries by this machine’s own settings: npm with esbuild (native part prebuilt), pip with hashes and MarkupSafe (native part prebuilt), Cargo with two crates, Go with a module that needs two more. The first round has an empty cache, the second the files of the first. Seconds of each project: fetching, building, testing.',
      `The Node project once more by pnpm ${TOOL_VERSIONS.pnpm} and Yarn ${TOOL_VERSIONS.yarn}, the Python project by uv, and, with the policy \`registry\`, the Node project by Yarn ${TOOL_VERSIONS['@yarnpkg/cli-dist']}.`,
    ],
    goals: [
      goal('rounds in which all four built and passed their tests', BUILDS),
      goal('rounds in which pnpm, Yarn 1 and uv did, with the policy `lockfile`', TOOLS),
      goal('rounds in which Yarn 4 did, with the policy `registry`', BY_REGISTRY),
    ],
    tables: [
      {
        caption: 'Seconds of each project, and requests at the door',
        head: ['engine, round', ...PROJECTS, 'passed', 'refused'],
        rows: rows.map(({ engine, round, took, passed, refused }) => [
          `${engine}, ${round}`,
          ...PROJECTS.map((name) => cell(took[name])),
          String(passed),
          String(refused),
        ]),
      },
    ],
  };
}
