/**
 * A checkout with four small projects, each with dependencies of its own making in a registry of `Site`: packages and lock
 * files are made by the real tools. No host of the outside is asked.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { zipOf } from '../support/zip.ts';
import { addCrate, addGo, addNpm, addPypi, hash, type NpmPackage, type Site } from './registry-site.ts';

export interface Demo {
  checkout: string;
  /** lock files: path in the checkout → text */
  locks: Record<string, string>;
}

export const DEMO_COMMANDS = `
step() {
  if (cd "$1" && eval "$2") > "$TMPDIR/$1.log" 2>&1; then echo "$1 built and tested"
  else echo "$1 FAILED:"; tail -n 40 "$TMPDIR/$1.log"; fi
}
step node 'npm ci && node --test'
step python 'python3 -m pip install --target deps --require-hashes -r requirements.txt && PYTHONPATH=deps python3 -m unittest'
step rust 'cargo test --locked'
step go 'go test ./...'
`;

export async function makeDemo(folder: string, o: { site: Site; files: Site; npm: string }): Promise<Demo> {
  const checkout = join(folder, 'checkout');
  const at: Making = { folder, checkout, env: environment(folder), ...o };
  makePython(at);
  await Promise.all([makeNode(at), makeRust(at), makeGo(at)]);
  const paths = ['node/package-lock.json', 'python/requirements.txt', 'rust/Cargo.lock', 'go/go.sum'];
  return {
    checkout,
    locks: Object.fromEntries(paths.map((path) => [path, readFileSync(join(checkout, path), 'utf8')])),
  };
}

interface Making {
  folder: string;
  checkout: string;
  site: Site;
  /** the host of PyPI's files */
  files: Site;
  npm: string;
  env: Record<string, string>;
}

function environment(folder: string): Record<string, string> {
  const home = join(folder, 'maker');
  mkdirSync(home, { recursive: true });
  const { PATH = '', RUSTUP_HOME, HOME = '' } = process.env;
  return {
    PATH,
    HOME: home,
    // rustup's own settings are in the real home; Cargo's are not read.
    RUSTUP_HOME: RUSTUP_HOME ?? join(HOME, '.rustup'),
    CARGO_HOME: join(home, 'cargo'),
    GOFLAGS: '-modcacherw',
    GOSUMDB: 'off',
    GOTOOLCHAIN: 'local',
  };
}

/** The main package finds the one with the program for this processor, as esbuild and many others do it. */
async function makeNode({ folder, checkout, site, npm, env }: Making): Promise<void> {
  const native = `demo-native-linux-${process.arch}`;
  const parts = join(folder, 'npm');
  write(join(parts, native), {
    'package.json': JSON.stringify({ name: native, version: '1.0.0', os: ['linux'], cpu: [process.arch] }),
  });
  cpSync('/bin/busybox', join(parts, native, 'busybox'));
  write(join(parts, 'demo-native'), {
    'package.json': JSON.stringify({
      name: 'demo-native',
      version: '1.0.0',
      optionalDependencies: { [native]: '1.0.0' },
    }),
    'index.js': `exports.say = (text) => require('node:child_process').execFileSync(require.resolve('${native}/busybox'), ['echo', text], { encoding: 'utf8' });\n`,
  });
  for (const name of [native, 'demo-native']) addNpm(site, await packed(join(parts, name), { npm, env }));
  write(join(checkout, 'node'), {
    'package.json': JSON.stringify({
      name: 'demo',
      version: '1.0.0',
      dependencies: { 'demo-native': '^1.0.0' },
    }),
    'demo.test.js': `const { test } = require('node:test');\ntest('the native part runs', (t) => t.assert.strictEqual(require('demo-native').say('hello'), 'hello\\n'));\n`,
  });
  const args = [
    npm,
    'install',
    '--package-lock-only',
    '--no-audit',
    '--no-fund',
    `--registry=${site.url}/npm/`,
  ];
  await run(process.execPath, args, { cwd: join(checkout, 'node'), env });
}

async function packed(cwd: string, { npm, env }: Pick<Making, 'npm' | 'env'>): Promise<NpmPackage> {
  const file = (await run(process.execPath, [npm, 'pack', '--silent'], { cwd, env })).trim();
  const manifest = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')) as NpmPackage['manifest'];
  return { manifest, archive: readFileSync(join(cwd, file)) };
}

function makePython({ checkout, site, files }: Making): void {
  const info = 'demo_greet-1.0.0.dist-info';
  const content = zipOf({
    'demo_greet.py': 'def say(name):\n    return f"hello {name}"\n',
    [`${info}/METADATA`]: 'Metadata-Version: 2.1\nName: demo-greet\nVersion: 1.0.0\n',
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${info}/RECORD`]: `demo_greet.py,,\n${info}/METADATA,,\n${info}/WHEEL,,\n${info}/RECORD,,\n`,
  });
  addPypi(site, { host: files, name: 'demo-greet', file: 'demo_greet-1.0.0-py3-none-any.whl', content });
  write(join(checkout, 'python'), {
    'requirements.txt': `demo-greet==1.0.0 --hash=sha256:${hash('sha256', content)}\n`,
    'test_demo.py':
      'import unittest\nimport demo_greet\n\nclass Demo(unittest.TestCase):\n    def test_greets(self):\n        self.assertEqual(demo_greet.say("ada"), "hello ada")\n',
  });
}

async function makeRust({ folder, checkout, site, env }: Making): Promise<void> {
  for (const name of ['demo-plus', 'demo-times']) {
    const cwd = join(folder, 'crates', name);
    const operation = name === 'demo-plus' ? 'a + b' : 'a * b';
    write(cwd, {
      'Cargo.toml': `[package]\nname = "${name}"\nversion = "1.0.0"\nedition = "2021"\nlicense = "MIT"\ndescription = "for a test"\n`,
      'src/lib.rs': `pub fn of(a: u32, b: u32) -> u32 {\n    ${operation}\n}\n`,
    });
    await run('cargo', ['package', '--no-verify', '--allow-dirty', '--offline', '--quiet'], { cwd, env });
    const archive = readFileSync(join(cwd, `target/package/${name}-1.0.0.crate`));
    addCrate(site, { name, version: '1.0.0', archive });
  }
  write(join(checkout, 'rust'), {
    'Cargo.toml':
      '[package]\nname = "demo"\nversion = "1.0.0"\nedition = "2021"\n\n[dependencies]\ndemo-plus = "1"\ndemo-times = "1"\n',
    'src/lib.rs':
      '#[test]\nfn it_counts() {\n    assert_eq!(demo_times::of(demo_plus::of(1, 2), 4), 12);\n}\n',
  });
  write(env.CARGO_HOME!, {
    'config.toml': `[source.crates-io]\nreplace-with = "site"\n\n[source.site]\nregistry = "sparse+${site.url}/crates/"\n`,
  });
  await run('cargo', ['generate-lockfile', '--quiet'], { cwd: join(checkout, 'rust'), env });
}

async function makeGo({ checkout, site, env }: Making): Promise<void> {
  const [path, version, goMod] = ['example.org/greet', 'v1.0.0', 'module example.org/greet\n\ngo 1.19\n'];
  const zip = zipOf({
    [`${path}@${version}/go.mod`]: goMod,
    [`${path}@${version}/greet.go`]:
      'package greet\n\nfunc Say(name string) string { return "hello " + name }\n',
  });
  addGo(site, { path, version, goMod, zip });
  write(join(checkout, 'go'), {
    'go.mod': `module example.org/demo\n\ngo 1.19\n\nrequire ${path} ${version}\n`,
    'demo_test.go': `package demo\n\nimport (\n\t"testing"\n\n\t"${path}"\n)\n\nfunc TestGreets(t *testing.T) {\n\tif greet.Say("ada") != "hello ada" {\n\t\tt.Fail()\n\t}\n}\n`,
  });
  const settings = { ...env, GOPROXY: `${site.url}/go`, GOCACHE: join(env.HOME!, 'go-build') };
  await run('go', ['mod', 'tidy'], { cwd: join(checkout, 'go'), env: settings });
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** Not synchronously: the registry that the tool asks is in this process. */
async function run(
  command: string,
  args: string[],
  o: { cwd: string; env: Record<string, string> },
): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { ...o, encoding: 'utf8' });
  return stdout;
}
