/**
 * Four real projects, built and tested in a container without a network, through the package door, from the registries that
 * this machine's own clients are set to. Lock files are made by those clients, outside.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RegistrySettings } from '../src/config/config.ts';
import { PUBLIC_REGISTRIES } from '../src/config/package-options.ts';
import { migrate, openDatabase } from '../src/database/database.ts';
import type { EcosystemName } from '../src/vocabulary.ts';
import { lockedIn, openStage, runBehindDoor } from '../test/packages/door-stage.ts';
import { toolchainsFor } from '../test/packages/toolchains.ts';
import { type TestEngine, testEngines } from '../test/support/engines.ts';
import type { Bench } from './bench.ts';
import { figure, type PartReport } from './report.ts';

const PROJECTS = ['node', 'python', 'rust', 'go'] as const;
const LOCKS = ['node/package-lock.json', 'python/requirements.txt', 'rust/Cargo.lock', 'go/go.sum'];

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

const COMMANDS = `
step() {
  local began=$EPOCHREALTIME
  if (cd "$1" && eval "$2") > "$TMPDIR/$1.log" 2>&1; then echo "$1 $began $EPOCHREALTIME"
  else echo "$1 FAILED"; tail -n 20 "$TMPDIR/$1.log"; fi
}
step node 'npm ci && node --test'
step python 'python3 -m pip install --target deps --require-hashes -r requirements.txt && PYTHONPATH=deps python3 -m unittest'
step rust 'cargo test --locked'
step go 'go test ./...'
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
  await makeProjects(checkout);
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
      rows.push(await buildAll(bench, { engine, folder, checkout, stage, round }));
    await stage.packages.close();
    await database.close();
  }
  return report(rows);
}

interface Round {
  engine: TestEngine;
  folder: string;
  checkout: string;
  stage: ReturnType<typeof openStage>;
  round: string;
}

async function buildAll(bench: Bench, { engine, folder, checkout, stage, round }: Round): Promise<Row> {
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
    mounts,
    path,
    commands: COMMANDS,
  };
  const { out, err } = await runBehindDoor({ ...build, policy: 'lockfile', locked: lockedIn(locks) });
  if (/FAILED/.test(out)) bench.say(out + err);
  const attempts = stage.attempts.slice(before);
  const passed = attempts.filter(({ verdict }) => verdict === 'passed').length;
  const took = Object.fromEntries(PROJECTS.map((name) => [name, secondsOf(out, name)]));
  bench.say(
    `  ${engine.name}, ${round}: ${JSON.stringify(took)}, ${passed} of ${attempts.length} requests passed`,
  );
  return { engine: engine.name, round, took, passed, refused: attempts.length - passed };
}

function secondsOf(out: string, project: string): number | null {
  const [, from, to] = new RegExp(`^${project} ([0-9.]+) ([0-9.]+)$`, 'm').exec(out) ?? [];
  return from === undefined ? null : Number(to) - Number(from);
}

async function makeProjects(checkout: string): Promise<void> {
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
  const built = rows.filter(({ took }) => Object.values(took).every((one) => one !== null)).length;
  const cell = (seconds: number | null | undefined) => (seconds == null ? 'failed' : figure(seconds));
  return {
    title: 'Real builds through the package door',
    method: [
      'Four projects with tests, built in a container without a network with the policy `lockfile`, from the public registries by this machine’s own settings: npm with esbuild (native part prebuilt), pip with hashes and MarkupSafe (native part prebuilt), Cargo with two crates, Go with a module that needs two more. The first round has an empty cache, the second the files of the first. Seconds of each project: fetching, building, testing.',
    ],
    goals: [
      {
        what: 'rounds in which all four built and passed their tests',
        wanted: `${rows.length} of ${rows.length}`,
        measured: `${built} of ${rows.length}`,
        met: built === rows.length,
      },
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
