/** An issue that is blocked, on the whole service with the real CLI: it waits, says so, and begins when its blocker is closed. */
import { afterEach, describe, expect, test } from 'vitest';
import { call } from './support/cli.ts';
import { needs } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY, tokenOf } from './support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc');
const MODEL = `
scenes:
  - name: work
    when: { prompt: assigned this to you }
    steps:
      - text: I did what was blocked.
`;

const STACK = `
scenes:
  - name: rebase
    when: { prompt: Rebase your own commits }
    steps:
      - tools: [{ name: Bash, input: { command: "git fetch -q && git rebase -q origin/main" } }]
      - text: It stands on main now.
  - name: parent
    when: { prompt: "Word: heron" }
    steps:
      - tools: [{ name: Bash, input: { command: "echo 1 > parent.txt && git add . && git commit -qm Parent" } }]
      - text: The parent is done.
  - name: child
    when: { prompt: "Word: egret" }
    steps:
      - tools: [{ name: Bash, input: { command: "test -f parent.txt && echo 2 > child.txt && git add . && git commit -qm Child" } }]
      - text: The child is done.
  - name: other
    when: { prompt: "Word: stork" }
    steps:
      - text: Nothing is to be done.
`;

let stage: Stage;
afterEach(async () => await stage.close());

describe.skipIf(!here.ok)(here.title('dependencies'), () => {
  test('the next issue begins when its last blocker is closed, told by one delivery', async () => {
    stage = await Stage.open({ model: MODEL, config: { feedback: 'full' } });
    await stage.start();
    const ada = stage.forge.as(OWNER);
    await ada.createIssue(REPOSITORY, { title: 'First', body: '' });
    await ada.createIssue(REPOSITORY, { title: 'Native', body: '' });
    await ada.createIssue(REPOSITORY, { title: 'Second', body: 'Blocked by #1.' });
    await fetch(`${stage.forge.url}/api/v1/repos/${REPOSITORY}/issues/3/dependencies`, {
      method: 'POST',
      headers: { authorization: `token ${tokenOf(OWNER)}` },
      body: JSON.stringify({ owner: 'ada', repo: 'greeter', index: 2 }),
    });
    await ada.assign(REPOSITORY, 3, [DEV]);
    await stage.untilDispatch(1, 'parked');
    const said = () => stage.forge.state.comments.map(({ body }) => body);
    await stage.until('the forge says what it waits for', () =>
      said().some((text) => text.includes('I do not begin yet: this waits for #1 and #2.')),
    );
    // Both commands that people would use say what the issue waits for.
    const at = ['-c', stage.configFile];
    expect((await call(['holds', ...at], { env: stage.env })).out).toContain('waits for #1 and #2');
    expect((await call(['explain', `${REPOSITORY}#3`, ...at], { env: stage.env })).out).toContain(
      'waits for #1 and #2',
    );
    await ada.close(REPOSITORY, 1);
    await stage.until('the hold names what is left', async () => {
      const [hold] = await stage.rows.selectFrom('holds').select('reason').execute();
      return hold?.reason === 'waits for #2';
    });
    expect(stage.turns).toEqual([]);
    await ada.close(REPOSITORY, 2);
    await stage.untilDispatch(1, 'succeeded');
    await stage.until('the answer is there', () =>
      said().some((text) => text.includes('I did what was blocked.')),
    );
  });

  test('a stack: the child starts from its parent and goes into it; after the merge the child alone is told to rebase', async () => {
    stage = await Stage.open({ model: STACK });
    await stage.start();
    const ada = stage.forge.as(OWNER);
    await ada.createIssue(REPOSITORY, { title: 'Parent', body: 'Word: heron.', assignees: [DEV] });
    await stage.untilDispatch(1, 'succeeded');
    const pullOf = (head: string) =>
      stage.forge.state.items.find(({ pull }) => pull !== null && pull.headRef === head);
    await stage.until('the parent has its pull request', () => pullOf('dev/1'));
    const child = { title: 'Child', body: 'Word: egret. Stacked on #1.', assignees: [DEV] };
    const { number } = await ada.createIssue(REPOSITORY, child);
    await stage.untilDispatch(2, 'succeeded');
    const pull = await stage.until('the child has its pull request', () => pullOf(`dev/${number}`));
    expect(pull.pull).toMatchObject({ baseRef: 'dev/1', changedFiles: 1 });
    // Somebody else's work is not woken by the merge.
    const other = { title: 'Other', body: 'Word: stork.', assignees: [DEV] };
    await ada.createIssue(REPOSITORY, other);
    await stage.untilDispatch(3, 'succeeded');
    await ada.merge(REPOSITORY, pullOf('dev/1')!.number, { style: 'merge' });
    const rebase = await stage.untilDispatch(4, 'succeeded');
    expect(pullOf(`dev/${number}`)!.pull).toMatchObject({ baseRef: 'main', changedFiles: 1 });
    const [, second] = await stage.dispatches();
    expect(rebase.conversation_id).toBe(second!.conversation_id);
    expect(rebase.prompt).toContain('Rebase your own commits onto it');
    await stage.settled();
    expect(await stage.dispatches()).toHaveLength(4);
  });
});
