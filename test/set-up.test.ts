/** The whole service with set-up commands in bubblewrap: one conversation builds, the others find it there. */
import { execFileSync } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import { renderDescriptions } from '../src/cli/print/conversations.ts';
import { describeConversation } from '../src/views/conversations.ts';
import { readReference } from '../src/views/references.ts';
import { git } from './support/git-remotes.ts';
import { needs } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY } from './support/service-config.ts';

const here = needs('bubblewrap', 'cli', 'git', 'proc', 'flock');

let stage: Stage;
afterEach(async () => {
  await stage.close();
});

/** The agent commits what it sees, with all that git shows it, and then writes on top. */
const LOOK =
  'cat node_modules/lib/code > seen.txt; git add -A && git commit -qm Seen; echo mine >> node_modules/lib/code; echo x > node_modules/mine';
const MODEL = `
scenes:
  - name: work
    steps:
      - tools: [{ name: Bash, input: { command: ${JSON.stringify(LOOK)} } }]
      - text: Done.
fallback: { text: "Nothing." }`;

const setup = (code: string) =>
  `commands: ["mkdir -p node_modules/lib && echo built >> node_modules/lib/code", ${JSON.stringify(code)}]\nkeep: [node_modules]\n`;

function onMain(file: string, text: string): void {
  const folder = `${stage.folder}/clone`;
  execFileSync('rm', ['-rf', folder]);
  git('/', 'clone', '-q', stage.repositoryFolder(REPOSITORY), folder);
  execFileSync('sh', ['-c', 'mkdir -p "$(dirname "$1")"; printf %s "$2" > "$1"', 'sh', file, text], {
    cwd: folder,
  });
  git(folder, 'add', '-A');
  git(folder, 'commit', '-qm', file);
  git(folder, 'push', '-q', 'origin', 'HEAD:main');
}

async function issue(): Promise<{ number: number; seen: string; files: string; setUp: unknown }> {
  const asked = { title: 'Look', body: '', assignees: [DEV] };
  const { number } = await stage.forge.as(OWNER).createIssue(REPOSITORY, asked);
  await stage.settled();
  const dispatch = (await stage.dispatches()).at(-1)!;
  expect(dispatch.state).toBe('succeeded');
  const bare = stage.repositoryFolder(REPOSITORY);
  const files = git(bare, 'ls-tree', '-r', '--name-only', `dev/${number}`);
  return {
    number,
    seen: git(bare, 'show', `dev/${number}:seen.txt`),
    files,
    setUp: JSON.parse(dispatch.set_up ?? 'null'),
  };
}

test.skipIf(!here.ok)(
  here.title('the first dispatch builds, the next reuses, none sees another’s writes, a failure is told'),
  async () => {
    stage = await Stage.open({ model: MODEL, config: { container: { engine: 'bubblewrap' } } });
    onMain('.claude-hooks/setup.yaml', setup('echo well'));
    await stage.start();
    const first = await issue();
    expect(first).toMatchObject({ seen: 'built', setUp: { outcome: 'built' } });
    expect(stage.turns[0]!.prompt).toContain('Set up for you, as the base branch asks for it: node_modules.');
    const second = await issue();
    expect(second).toMatchObject({ seen: 'built', setUp: { outcome: 'reused' } });
    expect(second.files).not.toContain('node_modules');
    await stage.forge.as(OWNER).comment(REPOSITORY, first.number, 'Look again.');
    await stage.settled();
    const bare = stage.repositoryFolder(REPOSITORY);
    expect(git(bare, 'show', `dev/${first.number}:seen.txt`)).toBe('built\nmine');

    onMain('.claude-hooks/setup.yaml', setup('echo no package here >&2; exit 7'));
    const failed = await issue();
    expect(failed).toMatchObject({ seen: '', setUp: { outcome: 'failed' } });
    expect(stage.turns.at(-1)!.prompt).toContain('ended with exit code 7');
    expect(stage.turns.at(-1)!.prompt).toContain('no package here');
    const named = readReference(`${REPOSITORY}#${failed.number}`, {
      home: { url: stage.forge.url },
    } as never);
    const shown = renderDescriptions(await describeConversation(stage.rows, named), Date.now());
    expect(shown).toMatch(/set-up\s+failed \(layer [0-9a-f]{12}\)/);
    expect(shown).toContain('no package here');
  },
);
