/** Where work goes when the forge has moved: the name is taken, the base was changed, the pull request was merged. */
import { afterEach, describe, expect, test } from 'vitest';
import { git } from './support/git-remotes.ts';
import { needs } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY } from './support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc');

let stage: Stage;
afterEach(async () => {
  await stage.close();
});

const work = (name: string, when: string, file: string) => `
  - name: ${name}
    when: { prompt: ${when} }
    steps:
      - tools: [{ name: Bash, input: { command: "echo ${file} > ${file}.txt && git add . && git commit -qm ${file}" } }]
      - text: ${file} is done.`;

/** As a person does on its page. */
function retarget(number: number, base: string): void {
  stage.forge.state.items.find((one) => one.number === number)!.pull!.baseRef = base;
}

const pulls = () =>
  stage.forge.state.items.flatMap(({ number, pull }) =>
    pull === null ? [] : [`#${number} ${pull.headRef} → ${pull.baseRef}`],
  );

describe.skipIf(!here.ok)(here.title('a branch'), () => {
  test('is called otherwise where its name is taken, follows a changed base, and is left behind after a merge', async () => {
    stage = await Stage.open({
      model: `scenes:${work('first', 'assigned this to you', 'one')}${work('second', 'add two', 'two')}${work('third', 'add three', 'three')}`,
    });
    await stage.start();
    const bare = stage.repositoryFolder(REPOSITORY);
    git(bare, 'branch', 'dev', 'main');
    git(bare, 'branch', 'release', 'main');
    const ada = stage.forge.as(OWNER);
    await ada.createIssue(REPOSITORY, { title: 'Greet', body: '', assignees: [DEV] });
    await stage.settled();
    expect(pulls()).toEqual(['#2 dev-work/1 → main']);
    expect(stage.turns[0]!.prompt).toContain(
      'The forge has a branch called dev, so it can have none called dev/1: your branch is dev-work/1.',
    );

    retarget(2, 'release');
    await ada.comment(REPOSITORY, 1, 'Please add two.');
    await stage.settled();
    expect(pulls()).toEqual(['#2 dev-work/1 → release']);
    expect(git(bare, 'log', '--format=%s', 'main..dev-work/1').split('\n')).toEqual(['two', 'one']);
    expect(stage.turns.findLast((t) => t.prompt.includes('add two'))!.prompt).toContain(
      'Pull request #2 goes into release, so your work is for release and not for main.',
    );

    retarget(2, 'main');
    await ada.merge(REPOSITORY, 2, { style: 'squash', deleteBranch: true });
    await ada.comment(REPOSITORY, 1, 'Thanks! Please add three.');
    await stage.settled();
    expect(pulls().at(-1)).toBe('#3 dev-work/1-2 → main');
    // The squashed commits are not proposed once more.
    expect(git(bare, 'log', '--format=%s', 'main..dev-work/1-2')).toBe('three');
    expect(stage.turns.at(-1)!.prompt).toContain('Pull request #2 was merged into main');
    expect(await stage.dispatches()).toMatchObject([
      { state: 'succeeded' },
      { state: 'succeeded', continuity: 'resumed' },
      { state: 'succeeded', continuity: 'resumed' },
    ]);
  });
});

describe.skipIf(!here.ok)(here.title('a repository that is renamed in mid-run'), () => {
  test('gets the work, and the one that has its old name by then gets nothing', async () => {
    stage = await Stage.open({
      model: `scenes:
  - name: work
    when: { prompt: assigned this to you }
    steps:
      - tools: [{ name: Bash, input: { command: "echo one > one.txt && git add . && git commit -qm one" } }]
        faults: [{ hold: { name: working, after: request } }]
      - tools: [{ name: Bash, input: { command: "git push -q origin HEAD" } }]
      - text: It is done.`,
      forge: { repositories: ['ada/*'] },
    });
    await stage.start();
    const ada = stage.forge.as(OWNER);
    await ada.createIssue(REPOSITORY, { title: 'Rest', body: '' });
    await ada.comment(REPOSITORY, 1, `@${DEV} what do you think?`);
    await stage.settled();
    await ada.createIssue(REPOSITORY, { title: 'Greet', body: '', assignees: [DEV] });
    await stage.reached('working');
    await ada.renameRepository(REPOSITORY, 'welcomer');
    await stage.addRepository('greeter');
    stage.model.release('working');
    await stage.settled();
    const old = stage.repositoryFolder(REPOSITORY);
    const now = stage.repositoryFolder('ada/welcomer');
    expect(git(now, 'log', '--format=%s', 'main..dev/2')).toBe('one');
    expect(git(old, 'branch', '--format=%(refname:short)')).toBe('main');
    expect(pulls()).toEqual(['#3 dev/2 → main']);
    expect((await stage.effects()).map((e) => `${e.kind} ${e.state}`)).not.toContain('push refused');

    // Whatever comes next tells the new name, also to the conversations beside it.
    await ada.comment('ada/welcomer', 2, 'Thanks!');
    await stage.settled();
    const names = await stage.rows.selectFrom('conversations').select('repository_name').execute();
    expect(names.map((n) => n.repository_name)).toEqual(['ada/welcomer', 'ada/welcomer']);
    expect((await stage.dispatches()).at(-1)).toMatchObject({ state: 'succeeded', continuity: 'resumed' });
  });
});
