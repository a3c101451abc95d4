/**
 * Comments that are written while no service runs, or one that dies while it catches up: each is answered once. The whole
 * service with the real CLI.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { needs } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY } from './support/service-config.ts';

const MODEL = `scenes:
  - name: work
    when: { prompt: assigned this to you }
    steps: [{ text: I have looked at it. }]
  - name: answer
    when: { prompt: wrote to you }
    steps: [{ text: Here is my answer. }]
  - name: more
    when: { prompt: Answer ada }
    steps: [{ text: Here is my answer. }]`;

const here = needs('cli', 'git', 'flock', 'proc');
let stage: Stage;
afterEach(async () => await stage.close());

describe.skipIf(!here.ok)(here.title('a comment that no webhook told'), () => {
  test('is answered once after the restart, also when the service is killed while it catches up', async () => {
    stage = await Stage.open({ model: MODEL });
    const service = await stage.spawn();
    const ada = stage.forge.as(OWNER);
    await stage.untilLogged('is looked at from now on');
    await ada.createIssue(REPOSITORY, { title: 'Greeting', body: 'b', assignees: [DEV] });
    await stage.untilDispatch(1, 'succeeded');
    await service.kill();

    await ada.comment(REPOSITORY, 1, 'Is it done?');
    await stage.forge.settled();
    stage.extraEnv.CLAUDE_HOOKS_FAULT = 'kill@reconcile.committed';
    const dying = await stage.spawn();
    expect(await dying.ended).toBeNull();
    delete stage.extraEnv.CLAUDE_HOOKS_FAULT;
    await stage.spawn();
    await stage.untilDispatch(2, 'succeeded');
    const late = stage.forge.deliveries.findLast(({ body }) => body.includes('Is it done?'))!;
    await ada.redeliver(late.id);
    await stage.forge.settled();
    await stage.until('the late webhook is decided', async () => {
      const found = await stage.rows
        .selectFrom('deliveries')
        .select('state')
        .where('source', '=', 'webhook')
        .where('event_name', '=', 'comment.created')
        .where('state', '=', 'duplicate')
        .executeTakeFirst();
      return found;
    });
    await stage.settled();
    expect(await stage.dispatches()).toHaveLength(2);
    expect((await stage.messages()).map(({ state }) => state)).toEqual(['answered', 'answered']);
  });
});
