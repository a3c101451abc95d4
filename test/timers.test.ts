/** An agent asks to be woken, and is: the real CLI, a service that dies in between, one session. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { call } from './support/cli.ts';
import { needs } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY } from './support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc');
const REASON = 'Look whether the release is out.';

let stage: Stage;
afterEach(async () => {
  await stage.close();
});

const MODEL = `scenes:
  - name: work
    when: { prompt: assigned this to you }
    steps:
      - tools: [{ name: mcp__forge__wake_me, input: { in_minutes: 60, reason: ${REASON} } }]
      - text: I look again in an hour.
  - name: woken
    when: { prompt: ${REASON} }
    steps: [{ text: The release is out. }]
fallback: { text: Something else. }`;

/** An hour is over, while no service runs. */
function passAnHour(): void {
  const db = new DatabaseSync(join(stage.state, 'claude-hooks.db'));
  db.prepare("UPDATE timers SET due_at = ? WHERE state = 'waiting'").run(Date.now());
  db.close();
}

describe.skipIf(!here.ok)(here.title('wake_me'), () => {
  test('outlives the service, ends as an event in its mailbox, and the session goes on', async () => {
    stage = await Stage.open({ model: MODEL });
    const first = await stage.spawn();
    const ada = stage.forge.as(OWNER);
    await ada.createIssue(REPOSITORY, {
      title: 'Release',
      body: 'Tell me when it is out.',
      assignees: [DEV],
    });
    await stage.settled();
    expect(stage.model.requests.length).toBeGreaterThan(1);
    const listed = await call(['timers', 'list', `${REPOSITORY}#1`, '-c', stage.configFile, '--json'], {
      env: stage.env,
    });
    expect(JSON.parse(listed.out)).toMatchObject([{ reason: REASON }]);
    await first.kill();
    const timers = () => stage.rows.selectFrom('timers').selectAll().execute();
    expect(await timers()).toMatchObject([{ state: 'waiting', reason: REASON }]);
    passAnHour();
    await stage.spawn();
    await stage.untilDispatch(2, 'succeeded');
    expect(await timers()).toMatchObject([{ state: 'due' }]);
    const [told] = await stage.rows.selectFrom('events').selectAll().where('source', '=', 'timer').execute();
    expect(JSON.parse(told!.event!)).toMatchObject({ name: 'timer.due' });
    expect((await stage.messages()).map((m) => m.state)).toEqual(['answered', 'answered']);
    expect((await stage.dispatches()).at(-1)).toMatchObject({ continuity: 'resumed', attempt: 1 });
    expect((await stage.sessions()).length).toBe(1);
    expect(stage.turns.at(-1)!.prompt).toContain(REASON);
    expect(JSON.stringify(stage.turns.at(-1)!.messages)).toContain('I look again in an hour.');
    const dev = stage.forge.state.users.find((u) => u.login === DEV)!.id;
    const answers = stage.forge.state.comments.filter((c) => c.author === dev).map((c) => c.body);
    expect(answers.map((body) => body.split('\n')[0])).toEqual([
      'I look again in an hour.',
      'The release is out.',
    ]);
    // Woken once: another start finds nothing that is due.
    await stage.settled();
    expect(await stage.dispatches()).toHaveLength(2);
  });
});
