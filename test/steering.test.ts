/** What people say while a run is under way reaches the model in that run: once, and none of it is lost. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Versions } from '../src/dispatch/converse/versions.ts';
import { call } from './support/cli.ts';
import { needs } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY } from './support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc');

let stage: Stage;
afterEach(async () => {
  await stage.close();
});

const HELD = `scenes:
  - name: work
    when: { prompt: assigned this to you }
    steps:
      - tools: [{ name: Bash, input: { command: "true" } }]
        faults: [{ hold: { name: asked, after: half } }]
      - text: I did it.
        faults: [{ hold: { name: answering, after: half } }]
  - name: own-turn
    when: { prompt: Remark of late }
    steps: [{ text: I have read the late remark. }]
fallback: { text: Read. }`;

/** How often each text stands in what the model received last. */
function timesIn(text: string): number {
  const seen = JSON.stringify(stage.turns.at(-1)!.messages);
  return seen.split(text).length - 1;
}

function answers(): string[] {
  const { comments, users } = stage.forge.state;
  const dev = users.find((u) => u.login === DEV)!.id;
  return comments.filter((c) => c.author === dev).map((c) => c.body.split('\n\n<!--')[0]!.trim());
}

const untilCarried = (count: number) =>
  stage.until(`the run carries ${count} messages`, async () => {
    const carried = (await stage.messages()).filter((m) => m.state === 'carried');
    return carried.length >= count ? true : null;
  });

async function begun(model = HELD): Promise<void> {
  stage = await Stage.open({ model });
  await stage.start();
  const ada = stage.forge.as(OWNER);
  await ada.createIssue(REPOSITORY, { title: 'Greet', body: 'The word is heron-7.', assignees: [DEV] });
  await stage.reached('asked');
}

async function say(text: string): Promise<void> {
  const args = ['say', `${REPOSITORY}#1`, text, '--by', 'ada', '-c', stage.configFile];
  expect(await call(args, { env: stage.env })).toMatchObject({ code: 0, err: '' });
}

describe.skipIf(!here.ok)(here.title('words during a run'), () => {
  test('30 comments and a word by command: each reaches the model in that run, once, and no dispatch follows', async () => {
    await begun();
    const bob = stage.forge.as('bob');
    for (let n = 1; n <= 30; n++) await bob.comment(REPOSITORY, 1, `Remark ${n} of bob.`);
    await say('Use the new parser.');
    // Nobody may be asked to do anything by somebody who may not write here.
    await stage.forge.as('eve').comment(REPOSITORY, 1, `@${DEV} Remark of a stranger.`);
    await untilCarried(32);
    stage.model.release('asked');
    await stage.reached('answering');
    for (let n = 1; n <= 30; n++) expect(timesIn(`Remark ${n} of bob.`)).toBe(1);
    expect(timesIn('Use the new parser.')).toBe(1);
    expect(timesIn('ada says to you, by command and not on the forge:')).toBe(1);
    await bob.comment(REPOSITORY, 1, 'Remark of late.');
    await untilCarried(33);
    stage.model.release('answering');
    await stage.settled();
    const ran = (await stage.dispatches()).filter((d) => d.attempt > 0);
    expect(ran.map((d) => d.state)).toEqual(['succeeded']);
    const messages = await stage.messages();
    expect(messages.map((m) => m.state)).toEqual(messages.map(() => 'answered'));
    expect(messages.filter((m) => m.handed_as !== null && m.delivered_at === null)).toEqual([]);
    const marks = await stage.rows.selectFrom('session_marks').select(['author', 'source']).execute();
    expect(marks).toEqual([{ author: 'eve', source: 'prompt' }]);
    expect(timesIn('Remark of a stranger.')).toBe(1);
    // What came between two looks at the forge is told once, with the first of it.
    expect(messages.filter((m) => m.handed_as !== null).length).toBeGreaterThan(1);
    // The late one came when the answer was on its way: it has an answer of its own, and both are posted.
    expect(answers()).toEqual(['I did it.\n\nI have read the late remark.']);
    await bob.comment(REPOSITORY, 1, `@${DEV} and now?`);
    await stage.settled();
    expect(stage.turns.at(-1)!.prompt).not.toContain('Remark');
    expect(timesIn('Remark 7 of bob.')).toBe(1);
  });
});

/** What the subagent takes: 40 s with FAULTS=all, else as long as it takes to tell the difference. */
const LATE_MS = process.env.FAULTS === 'all' ? 40_000 : 1500;
const BOUND_SECONDS = process.env.FAULTS === 'all' ? 60 : 6;

describe.skipIf(!here.ok)(here.title('work that the model leaves in the background'), () => {
  test('is waited for, and its words are the answer; what never ends is cut, which the answer and the next prompt say', async () => {
    const task = (prompt: string) =>
      `{ name: Agent, input: { description: look around, prompt: ${prompt}, subagent_type: general-purpose, run_in_background: true } }`;
    stage = await Stage.open({
      model: `scenes:
  - name: late
    when: { prompt: LATE-TASK }
    steps: [{ text: The cause is in greet.ts., faults: [{ stall: { after: headers, ms: ${LATE_MS} } }] }]
  - name: never
    when: { prompt: NEVER-TASK }
    steps: [{ text: Never said., faults: [{ stall: { after: headers } }] }]
  - name: work
    when: { prompt: assigned this to you }
    steps: [{ tools: [${task('LATE-TASK')}] }, { text: I have asked somebody to look. }]
  - name: again
    when: { prompt: once more }
    steps: [{ tools: [${task('NEVER-TASK')}] }, { text: I have asked again. }]
  - name: last
    when: { prompt: and now }
    steps: [{ text: Nothing. }]
fallback: { text: My subagent says that the cause is in greet.ts. }`,
      config: { worker: { background_seconds: BOUND_SECONDS } },
    });
    await stage.start();
    const ada = stage.forge.as(OWNER);
    await ada.createIssue(REPOSITORY, { title: 'Greet', body: 'It is wrong.', assignees: [DEV] });
    await stage.settled();
    expect(answers()).toEqual(['My subagent says that the cause is in greet.ts.']);
    await ada.comment(REPOSITORY, 1, `@${DEV} look once more.`);
    await stage.settled();
    expect(answers().at(-1)).toBe(
      `I have asked again.\n\nA subagent or command that I had left in the background did not end within 1 minute (worker.background_seconds) and was stopped. What it would have found is not in this answer. Write here to let me go on.`,
    );
    expect((await stage.dispatches()).map((d) => d.state)).toEqual(['succeeded', 'succeeded']);
    expect(await stage.processes()).toEqual([]);
    await ada.comment(REPOSITORY, 1, `@${DEV} and now?`);
    await stage.settled();
    expect(stage.turns.at(-1)!.prompt).toContain(
      'What you had left in the background was stopped before it ended: "look around".',
    );
    expect((await stage.dispatches()).at(-1)).toMatchObject({ background: null, state: 'succeeded' });
  });
});

/** Each between two writes of a hand-over. All of them with FAULTS=all. */
const POINTS =
  process.env.FAULTS === 'all' ? ['steer.carried', 'steer.handed', 'steer.taken'] : ['steer.handed'];

describe.skipIf(!here.ok)(here.title('a service that dies while it hands words over'), () => {
  test.each(POINTS)('at %s: they are read and answered once after the next start', async (point) => {
    stage = await Stage.open({ model: HELD });
    stage.extraEnv.CLAUDE_HOOKS_FAULT = `kill@${point}`;
    const first = await stage.spawn();
    const ada = stage.forge.as(OWNER);
    await ada.createIssue(REPOSITORY, { title: 'Greet', body: 'The word is heron-7.', assignees: [DEV] });
    await stage.reached('asked');
    await ada.comment(REPOSITORY, 1, 'Use the new parser.');
    // A turn takes the words at its next boundary.
    if (point === 'steer.taken') stage.model.release('asked');
    await first.ended;
    delete stage.extraEnv.CLAUDE_HOOKS_FAULT;
    stage.model.release('asked');
    stage.model.release('answering');
    await stage.spawn();
    await stage.settled();
    expect((await stage.dispatches()).filter((d) => d.attempt > 0)).toMatchObject([{ state: 'succeeded' }]);
    expect((await stage.messages()).map((m) => m.state)).toEqual(['answered', 'answered']);
    expect(timesIn('Use the new parser.')).toBeGreaterThan(0);
    expect(answers()).toHaveLength(1);
    await ada.comment(REPOSITORY, 1, `@${DEV} and now?`);
    await stage.settled();
    expect(stage.turns.at(-1)!.prompt).not.toContain('Use the new parser.');
  });
});

const DEFAULTS = join(import.meta.dirname, '..', 'defaults');
const shipped = (path: string) => readFileSync(join(DEFAULTS, path), 'utf8');

describe.skipIf(!here.ok)(here.title('a configuration that is read again during a run'), () => {
  test('changes nothing of it: the next run has the new skill and flow, and is told', async () => {
    const skill = shipped('skills/answer-comment.md');
    const flows = shipped('flows/dev.yaml');
    stage = await Stage.open({
      model: `scenes:
  - name: first
    when: { prompt: the first time }
    steps:
      - tools: [{ name: Bash, input: { command: "true" } }]
        faults: [{ hold: { name: asked, after: half } }]
      - text: First.
fallback: { text: Read. }`,
      config: { skills: './skills', flows: './flows' },
      files: { 'skills/answer-comment.md': skill, 'flows/dev.yaml': flows },
    });
    await stage.start();
    const ada = stage.forge.as(OWNER);
    await ada.createIssue(REPOSITORY, { title: 'Greet', body: `@${DEV} look, the first time.` });
    await stage.reached('asked');
    stage.write({
      'skills/answer-comment.md': `${skill}\nThe new line of the skill.\n`,
      'flows/dev.yaml': flows.replace('priority: 50', 'priority: 51'),
    });
    await stage.untilLogged('configuration reloaded');
    stage.model.release('asked');
    await stage.settled();
    expect(JSON.stringify(stage.turns.map((t) => t.messages))).not.toContain('The new line of the skill.');
    await ada.comment(REPOSITORY, 1, `@${DEV} and again?`);
    await stage.settled();
    const { prompt } = stage.turns.at(-1)!;
    expect(prompt).toContain('The new line of the skill.');
    expect(prompt).toContain('The skill answer-comment that woke you was changed since it last did.');
    expect(prompt).toContain('The flow dev-mentioned that woke you was changed since it last did.');
    const shown = await call(['conversations', `${REPOSITORY}#1`, '-c', stage.configFile, '--json'], {
      env: stage.env,
    });
    const versions = JSON.parse(shown.out).conversations[0].dispatches.map(
      (d: { versions: Versions }) => d.versions,
    );
    expect(versions).toHaveLength(2);
    const [before, after] = versions as [Versions, Versions];
    expect(before).toMatchObject({ skill: { name: 'answer-comment' }, flow: { name: 'dev-mentioned' } });
    expect(after.model).toBe(before.model);
    expect(after.instructions).toBe(before.instructions);
    expect(after.skill.digest).not.toBe(before.skill.digest);
    expect(after.flow.digest).not.toBe(before.flow.digest);
  });
});
