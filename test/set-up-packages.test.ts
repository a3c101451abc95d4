/**
 * Set-up commands that fetch through the package door, in the whole service: the real npm in bubblewrap without a network. What
 * an agent writes on its branch counts for nothing, also where that branch is the base of a pull request.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { git } from './support/git-remotes.ts';
import { startNpmRegistry } from './support/npm-registry.ts';
import { needs } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY } from './support/service-config.ts';

const here = needs('bubblewrap', 'cli', 'git', 'proc', 'flock', 'npm');
const NPM = 'node /usr/lib/node_modules/npm/bin/npm-cli.js --no-progress';
const SETUP = `commands: ["${NPM} ci"]\nlock_files: [package-lock.json]\nkeep: [node_modules]\n`;
const EVIL = 'commands: ["mkdir node_modules; touch node_modules/evil"]\nkeep: [node_modules]\n';

let stage: Stage;
afterEach(async () => {
  await stage?.close();
});

const bash = (script: string) => ({
  tools: [{ name: 'Bash', input: { command: `{ ${script}; } 2>&1; true`, description: 'look' } }],
});

/** A commit on a branch, made from `from`. */
function commit(branch: string, from: string, files: Record<string, string>): void {
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-commit-'));
  try {
    git('/', 'clone', '-q', '-b', from, stage.repositoryFolder(REPOSITORY), folder);
    for (const [path, text] of Object.entries(files)) {
      const script = 'mkdir -p "$(dirname "$0")" && printf %s "$1" > "$0"';
      execFileSync('sh', ['-c', script, path, text], { cwd: folder });
    }
    git(folder, 'add', '-A');
    git(folder, 'commit', '-qm', 'Change files');
    git(folder, 'push', '-q', 'origin', `HEAD:refs/heads/${branch}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the tools of the last turn's conversation were answered with. */
const answered = () =>
  JSON.stringify(
    stage.turns.at(-1)!.messages.flatMap(({ content }) => (Array.isArray(content) ? content : [])),
  );

const setUpOf = async (n: number) => JSON.parse((await stage.dispatches()).at(n)!.set_up ?? 'null');

test.skipIf(!here.ok)(
  here.title('npm ci of the base branch is found by the run; a base that an agent works on says nothing'),
  async () => {
    const registry = await startNpmRegistry([
      { name: 'greet', version: '1.2.3', files: { 'index.js': "module.exports = 'Hello';\n" } },
      { name: 'stranger', version: '1.0.0', files: { 'index.js': "module.exports = 'stranger';\n" } },
    ]);
    onTestFinished(() => registry.close());
    const look = `node -p 'require("greet")' && ls node_modules`;
    const write = [
      `printf '%s' '${registry.lockFile()}' > package-lock.json`,
      `mkdir -p .claude-hooks && printf '%s' '${EVIL}' > .claude-hooks/setup.yaml`,
      'git add -A && git commit -qm Evil',
    ];
    const scenes = [
      {
        name: 'work',
        when: { prompt: 'Look at it' },
        steps: [bash(`${look} && ${write.join(' && ')}`), { text: 'Done.' }],
      },
      {
        name: 'review',
        when: { prompt: 'On top of it' },
        steps: [bash(`${look}; ${NPM} install --no-save stranger@1.0.0`), { text: 'Seen.' }],
      },
    ];
    stage = await Stage.open({
      model: JSON.stringify({ scenes, fallback: { text: 'Nothing.' } }),
      config: {
        container: { engine: 'bubblewrap' },
        packages: { policy: 'lockfile', registries: { npm: { url: registry.url } } },
      },
    });
    const dependencies = { greet: '1.2.3' };
    commit('main', 'main', {
      '.claude-hooks/setup.yaml': SETUP,
      '.gitignore': 'node_modules\n',
      'package.json': JSON.stringify({ name: 'project', version: '1.0.0', dependencies }),
      'package-lock.json': registry.lockFile({ only: ['greet'] }),
    });
    await stage.start();
    const ada = stage.forge.as(OWNER);
    const { number } = await ada.createIssue(REPOSITORY, { title: 'Look at it', body: '', assignees: [DEV] });
    await stage.settled();
    expect(await setUpOf(-1)).toMatchObject({ outcome: 'built' });
    expect(answered()).toContain('Hello\\ngreet');
    expect(registry.requests.map(({ url }) => url)).toEqual(['/greet/-/greet-1.2.3.tgz']);
    const branch = `dev/${number}`;
    const bare = stage.repositoryFolder(REPOSITORY);
    expect(git(bare, 'show', `${branch}:.claude-hooks/setup.yaml`)).toContain('evil');

    commit('topic', branch, { 'topic.txt': 'x' });
    const pull = await ada.openPull(REPOSITORY, {
      title: 'On top of it',
      body: '',
      head: 'topic',
      base: branch,
    });
    await ada.requestReview(REPOSITORY, pull.number, ['review-bot']);
    await stage.settled();
    expect(await setUpOf(-1)).toMatchObject({ outcome: 'reused' });
    expect(answered()).toContain('Hello\\ngreet');
    expect(answered()).toContain('is not passed: it is in no lock file of the base branch');
    expect(registry.requests.filter(({ url }) => url.includes('stranger'))).toEqual([]);
  },
);
