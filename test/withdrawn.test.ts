/** Work that somebody takes back: it stops, nothing of it is published, and the conversation can go on. */
import { afterEach, describe, expect, test } from 'vitest';
import { historyText } from './support/conversation.ts';
import { needs } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY } from './support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc');

let stage: Stage;
afterEach(async () => {
  await stage.close();
});

/** Bodies of the agent's comments by item, without our marks. */
function answers(): string[] {
  const { comments, users, items } = stage.forge.state;
  const dev = users.find((u) => u.login === DEV)!.id;
  const number = (id: number) => items.find((i) => i.id === id)!.number;
  return comments
    .filter((c) => c.author === dev)
    .map((c) => `#${number(c.item)} ${c.body.split('\n\n<!--')[0]!}`);
}

const pulls = () => stage.forge.state.items.filter((i) => i.pull !== null && i.pull !== undefined).length;

describe.skipIf(!here.ok)(here.title('work that was withdrawn'), () => {
  test('an unassigned agent stops before its first reply, and is told everything when it is assigned again', async () => {
    stage = await Stage.open({
      model: `scenes:
  - name: work
    when: { prompt: assigned this to you }
    steps:
      - text: I did it.
        faults: [{ hold: { name: asked, after: request } }]`,
    });
    await stage.start();
    const ada = stage.forge.as(OWNER);
    await ada.createIssue(REPOSITORY, { title: 'Greet', body: 'The word is heron-7.', assignees: [DEV] });
    await stage.reached('asked');
    await ada.assign(REPOSITORY, 1, []);
    const stopped = await stage.untilDispatch(1, 'cancelled');
    expect(stopped.reason).toBe(`ada unassigned ${DEV} from #1`);
    stage.model.release('asked');
    await ada.assign(REPOSITORY, 1, [DEV]);
    await stage.settled();
    const [, second] = await stage.dispatches();
    expect(second).toMatchObject({ state: 'succeeded', session_id: stopped.session_id });
    expect(stage.turns.at(-1)!.prompt).toContain('The word is heron-7.');
    expect(answers().at(-1)).toBe('#1 I did it.');
  });

  test('a closed issue stops the run, nothing is published, and a later comment goes on in the session', async () => {
    stage = await Stage.open({
      model: `scenes:
  - name: work
    when: { prompt: assigned this to you }
    steps:
      - tools: [{ name: Bash, input: { command: "echo done > done.txt && git add . && git commit -qm Done" } }]
      - tools: [{ name: Bash, input: { command: "tail -f done.txt" } }]
      - text: This is never said.
  - name: go-on
    when: { prompt: please finish }
    steps: [{ text: I finished it. }]`,
    });
    await stage.start();
    const ada = stage.forge.as(OWNER);
    await ada.createIssue(REPOSITORY, { title: 'Greet', body: 'The word is heron-7.', assignees: [DEV] });
    const lines = async () => await stage.rows.selectFrom('turns').selectAll().orderBy('seq').execute();
    await stage.until('the second tool runs', async () =>
      (await lines()).some(({ kind, content }) => kind === 'tool' && content.includes('tail -f')),
    );
    // Of no concern to this run.
    await ada.label(REPOSITORY, 1, ['later']);
    await ada.close(REPOSITORY, 1);
    const stopped = await stage.untilDispatch(1, 'cancelled');
    expect(stopped.reason).toBe('#1 was closed by ada');
    expect(await stage.processes()).toEqual([]);
    // The run learnt of it after this: nothing was said, done or asked since, and what ran is gone.
    const { received_at: told } = await stage.rows
      .selectFrom('deliveries')
      .select('received_at')
      .where('event_name', '=', 'issue.closed')
      .executeTakeFirstOrThrow();
    expect((await lines()).at(-1)).toMatchObject({
      kind: 'tool',
      content: expect.stringContaining('tail -f'),
    });
    const asked = await stage.rows.selectFrom('model_requests').selectAll().execute();
    expect([...(await lines()), ...asked].filter(({ at }) => at > told)).toEqual([]);
    await stage.settled();
    expect(answers()).toEqual([
      '#1 I stopped before I was done: #1 was closed by ada. What I have done so far is kept, and nothing of it was published. Write here to let me go on.',
    ]);
    expect(pulls()).toBe(0);
    expect((await stage.messages()).map((m) => m.state)).toEqual(['declined']);

    await ada.comment(REPOSITORY, 1, `@${DEV} please finish what you began.`);
    await stage.settled();
    const [, second] = await stage.dispatches();
    expect(second).toMatchObject({
      state: 'succeeded',
      continuity: 'resumed',
      session_id: stopped.session_id,
    });
    const history = historyText(stage.turns.at(-1)!);
    expect(history).toContain('The word is heron-7.');
    expect(history).toContain('git commit -qm Done');
    expect(answers().at(-1)).toMatch(/^#1 I finished it\./);
  });
});

describe.skipIf(!here.ok)(here.title('a pull request that a person closes'), () => {
  test('is not opened again until somebody asks, and what closed before the run began is declined', async () => {
    stage = await Stage.open({
      model: `scenes:
  - name: work
    when: { prompt: assigned this to you }
    steps:
      - tools: [{ name: Bash, input: { command: "echo one > one.txt && git add . && git commit -qm One" } }]
      - text: It is done.
  - name: rework
    when: { prompt: another way }
    steps:
      - tools: [{ name: Bash, input: { command: "echo two > two.txt && git add . && git commit -qm Two && git push -q origin HEAD" } }]
      - text: This is never said.
        faults: [{ hold: { name: reworking, after: request } }]
  - name: once-more
    when: { prompt: once more }
    steps:
      - tools: [{ name: Bash, input: { command: "echo three > three.txt && git add . && git commit -qm Three" } }]
      - text: Done once more.
  - name: carry-on
    when: { prompt: carry on }
    steps:
      - tools: [{ name: Bash, input: { command: "echo four > four.txt && git add . && git commit -qm Four" } }]
      - text: I carried on.
        faults: [{ hold: { name: carrying-on, after: request } }]`,
      config: { mailbox: { quiet_seconds: 1, max_wait_seconds: 5 } },
    });
    await stage.start();
    const ada = stage.forge.as(OWNER);
    await ada.createIssue(REPOSITORY, { title: 'Never mind', body: '', assignees: [DEV] });
    await ada.close(REPOSITORY, 1);
    await ada.createIssue(REPOSITORY, { title: 'Greet', body: '', assignees: [DEV] });
    await stage.settled();
    expect(await stage.dispatches()).toMatchObject([
      { state: 'cancelled', reason: '#1 was closed by ada' },
      { state: 'succeeded' },
    ]);
    expect(answers()).toEqual(['#2 It is done.\n\n> Pull request: #3']);
    expect(pulls()).toBe(1);

    await ada.review(REPOSITORY, 3, { event: 'REQUEST_CHANGES', body: 'Do it another way.' });
    await stage.reached('reworking');
    await ada.close(REPOSITORY, 3);
    await stage.untilDispatch(3, 'cancelled');
    const head = stage.forge.state.items.find((i) => i.number === 3)!.pull!.headSha;
    await ada.actionRun(REPOSITORY, { sha: head, status: 'failure', workflow: 'ci.yaml', pull: 3 });
    await stage.settled();
    const ci = await stage.rows
      .selectFrom('deliveries')
      .select('state')
      .where('event_name', '=', 'ci.failed')
      .execute();
    expect(ci).toMatchObject([{ state: 'ignored' }]);
    expect(pulls()).toBe(1);
    expect(answers().filter((a) => a.startsWith('#3'))).toHaveLength(1);

    await ada.comment(REPOSITORY, 2, 'Please try it once more.');
    await stage.settled();
    expect(await stage.untilDispatch(4, 'succeeded')).toMatchObject({ continuity: 'resumed' });
    expect(answers().at(-1)).toBe('#2 Done once more.\n\n> Pull request: #4');

    // The issue asks, and stays open: the run goes on, but nobody has asked for another pull request since.
    await ada.comment(REPOSITORY, 2, 'Please carry on.');
    await stage.reached('carrying-on');
    await ada.close(REPOSITORY, 4);
    stage.model.release('carrying-on');
    await stage.settled();
    expect(answers().at(-1)).toBe(
      '#2 I carried on.\n\n> No other pull request was opened: #4 was closed by ada. Reopen it, or write here, to get one.',
    );
    expect(pulls()).toBe(2);
  });
});
