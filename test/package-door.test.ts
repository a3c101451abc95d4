/**
 * An agent with the package door, through the whole service: the real CLI in a container without a network, the real npm
 * in it, and a registry that the test starts.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { call } from './support/cli.ts';
import { RUN_ARGS, type TestEngine, testEngines } from './support/engines.ts';
import { type NpmRegistry, startNpmRegistry, type TestPackage } from './support/npm-registry.ts';
import { needs, PODMAN_ARGS, titleOf } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY } from './support/service-config.ts';

const NPM = 'node /usr/lib/node_modules/npm/bin/npm-cli.js --no-progress';
const PUT = `node -e "fetch('http://127.0.0.1:8901/npm/project', { method: 'PUT', body: 'data' }).then(async (r) => console.log(await r.text()))"`;
const here = needs('cli', 'git', 'flock', 'proc', 'npm');

const PROJECT = {
  name: 'project',
  version: '1.0.0',
  scripts: { test: 'checked' },
  dependencies: { greet: '1.2.3', checked: '2.0.0' },
};
const PACKAGES: TestPackage[] = [
  {
    name: 'greet',
    version: '1.2.3',
    files: { 'index.js': "module.exports = (name) => 'Hello, ' + name;\n" },
  },
  {
    name: 'checked',
    version: '2.0.0',
    bin: { checked: 'run.js' },
    files: { 'run.js': "#!/usr/bin/env node\nconsole.log('tested: ' + require('greet')('ada'));\n" },
  },
  { name: 'stranger', version: '1.0.0', files: { 'index.js': "module.exports = 'stranger';\n" } },
];

let stage: Stage;
afterEach(async () => {
  await stage?.close();
});

const step = (script: string) => ({
  tools: [{ name: 'Bash', input: { command: `{ ${script}; } 2>&1; true`, description: 'build' } }],
});

/** What the tools of the last turn's conversation were answered with, in order. */
function answers(): string[] {
  return stage.turns
    .at(-1)!
    .messages.flatMap(({ content }) => (Array.isArray(content) ? content : []))
    .filter(({ type }) => type === 'tool_result')
    .map((block) => JSON.stringify(block));
}

/** node and npm of this machine in an image that has neither. */
function nodeMounts(): { source: string; target: string }[] {
  const library = (name: string) => ({
    source: realpathSync(`/usr/lib/x86_64-linux-gnu/${name}`),
    target: `/usr/lib/x86_64-linux-gnu/${name}`,
  });
  return [
    { source: realpathSync('/usr/bin/node'), target: '/usr/bin/node' },
    { source: '/usr/lib/node_modules/npm', target: '/usr/lib/node_modules/npm' },
    library('libstdc++.so.6'),
    library('libgcc_s.so.1'),
  ];
}

async function openStage(engine: TestEngine, registry: NpmRegistry): Promise<void> {
  const oci =
    engine.oci === null
      ? {}
      : { image: engine.image, program_args: PODMAN_ARGS, run_args: RUN_ARGS, mounts: nodeMounts() };
  const scenes = [
    {
      name: 'build',
      when: { prompt: 'Build it' },
      steps: [
        step(`${NPM} ci && ${NPM} test`),
        step(`${NPM} install stranger`),
        step(PUT),
        { text: 'I have built it.' },
      ],
    },
    {
      name: 'review',
      when: { prompt: 'Adds a stranger' },
      steps: [step(`${NPM} ci`), { text: 'It does not install.' }],
    },
    {
      name: 'again',
      when: { prompt: 'Approved now' },
      steps: [step(`${NPM} ci && node -p 'require("stranger")'`), { text: 'It installs.' }],
    },
  ];
  stage = await Stage.open({
    model: JSON.stringify({ scenes }),
    config: {
      container: { engine: engine.name, ...oci },
      packages: { policy: 'lockfile', registries: { npm: { url: registry.url } } },
    },
  });
}

/** A commit on a branch of the forge, as its owner would push it. Answers its name. */
function commit(branch: string, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-commit-'));
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();
  try {
    git('clone', '-q', stage.repositoryFolder(REPOSITORY), '.');
    if (branch !== 'main') git('checkout', '-q', '-b', branch);
    for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
    git('add', '-A');
    git('-c', 'user.name=ada', '-c', 'user.email=ada@example.org', 'commit', '-q', '-m', 'Change files');
    git('push', '-q', 'origin', `HEAD:refs/heads/${branch}`);
    return git('rev-parse', 'HEAD');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function auditRows(): Promise<string[]> {
  const { out } = await call(['-c', stage.configFile, 'audit', '--json'], { env: stage.env });
  return (JSON.parse(out) as { door: string; action: string; detail: { verdict: string } }[])
    .filter(({ door }) => door === 'packages')
    .map(({ action, detail }) => `${action} ${detail.verdict}`)
    .toReversed();
}

for (const engine of testEngines().filter(({ name }) => name === 'bubblewrap' || name === 'podman')) {
  const reason = [engine.need.reason, here.reason].filter((r) => r !== '').join('; ');
  describe.skipIf(reason !== '')(titleOf(`the package door, in ${engine.name}`, reason), () => {
    test('npm ci and the tests run; what no lock file of the base branch has stays out until a person approves', async () => {
      const registry = await startNpmRegistry(PACKAGES);
      onTestFinished(() => registry.close());
      await openStage(engine, registry);
      await stage.start();
      commit('main', {
        'package.json': JSON.stringify(PROJECT),
        'package-lock.json': registry.lockFile({ only: ['greet', 'checked'] }),
      });
      const ada = stage.forge.as(OWNER);
      const issue = await ada.createIssue(REPOSITORY, { title: 'Build it', body: 'And test it.' });
      await ada.assign(REPOSITORY, issue.number, [DEV]);
      await stage.settled();
      const [built, added, published] = answers();
      expect(built).toContain('added 2 packages');
      expect(built).toContain('tested: Hello, ada');
      expect(added).toContain(
        'stranger is not passed: it is in no lock file of the base branch (package-lock.json)',
      );
      expect(published).toContain('Nothing is published or asked by PUT here');
      const files = registry.requests.map(({ method, url }) => `${method} ${url}`).sort();
      expect(files).toEqual(['GET /checked/-/checked-2.0.0.tgz', 'GET /greet/-/greet-1.2.3.tgz']);
      const first = await auditRows();
      expect(first).toContain('GET npm greet 1.2.3 greet-1.2.3.tgz passed');
      expect(first).toContain('GET npm stranger not-locked');
      expect(first).toContain('PUT /npm/project method');
      if (engine.name !== 'bubblewrap') return;

      const dependencies = { ...PROJECT.dependencies, stranger: '1.0.0' };
      const sha = commit('topic', {
        'package.json': JSON.stringify({ ...PROJECT, dependencies }),
        'package-lock.json': registry.lockFile(),
      });
      const pull = await ada.openPull(REPOSITORY, {
        title: 'Adds a stranger',
        body: '',
        head: 'topic',
        base: 'main',
      });
      await ada.requestReview(REPOSITORY, pull.number, ['review-bot']);
      await stage.settled();
      expect(answers()[0]).toContain(
        'stranger 1.0.0 is not passed: it is in no lock file of the base branch',
      );
      expect(registry.requests).toHaveLength(2);

      const approve = ['packages', 'approve', REPOSITORY, sha, '--by', 'ada', '--because', 'I wrote it'];
      const approved = await call(['-c', stage.configFile, ...approve], { env: stage.env });
      expect(approved.out).toContain('count from the next run on');
      await ada.comment(REPOSITORY, pull.number, '@review-bot Approved now. Try it.');
      await stage.settled();
      expect(answers().at(-1)).toContain('stranger');
      expect(registry.requests.at(-1)?.url).toBe('/stranger/-/stranger-1.0.0.tgz');
    });
  });
}
