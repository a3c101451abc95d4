/** Commands in comments, on the whole service with the real CLI: seen within a second, stopped within two. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { patience } from './support/patience.ts';
import { needs } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY } from './support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc');

let stage: Stage;
afterEach(async () => {
  await stage.close();
});

function comments(): string[] {
  const { comments: all, users } = stage.forge.state;
  const dev = users.find((u) => u.login === DEV)!.id;
  return all.filter((c) => c.author === dev).map((c) => c.body.split('\n\n<!--')[0]!);
}

function reactions(): string[] {
  const { reactions: all, users } = stage.forge.state;
  const dev = users.find((u) => u.login === DEV)!.id;
  return all.filter((r) => r.user === dev).map((r) => `${r.content} on ${r.target} ${r.id}`);
}

const commands = () => stage.rows.selectFrom('commands').selectAll().orderBy('seq').execute();

describe.skipIf(!here.ok)(here.title('commands where people are'), () => {
  test('cancel stops a run and keeps its checkout; fresh and retry begin it anew, once', async () => {
    stage = await Stage.open({
      model: `scenes:
  - name: work
    when: { prompt: assigned this to you }
    steps:
      - tools: [{ name: Bash, input: { command: "echo half > half.txt && git add half.txt && git commit -qm Half" } }]
      - text: I did it.
        faults: [{ hold: { name: asked, after: request } }]`,
    });
    await stage.start();
    const ada = stage.forge.as(OWNER);
    await ada.createIssue(REPOSITORY, { title: 'Greet', body: 'The word is heron-7.', assignees: [DEV] });
    const eyes = await stage.until('the agent shows that it has seen it', async () => {
      const [notice] = await stage.rows
        .selectFrom('notices')
        .selectAll()
        .where('state', '=', 'shown')
        .execute();
      return notice;
    });
    const [message] = await stage.messages();
    // `due_at` is when the forge had confirmed it. 0.1 s on an idle machine; this one may be busy.
    expect(eyes.due_at - message!.created_at).toBeLessThan(patience(5000));
    expect(reactions()).toEqual([`eyes on item ${stage.forge.state.items[0]!.id}`]);

    await stage.reached('asked');
    const checkouts = join(stage.state, 'work');
    const before = readdirSync(checkouts, { recursive: true }).filter((name) =>
      String(name).endsWith('half.txt'),
    );
    expect(before).toHaveLength(1);
    const { id: cancel } = await ada.comment(
      REPOSITORY,
      1,
      'Not now, please.\n\n> /claude fresh\n\n/claude cancel',
    );
    const stopped = await stage.untilDispatch(1, 'cancelled');
    const [asked] = await commands();
    expect(asked).toMatchObject({ verb: 'cancel', asked_by: OWNER, state: 'done' });
    // Two seconds; the machine of the test may be busy.
    expect(stopped.ended_at! - asked!.at).toBeLessThan(patience(4000));
    expect(stopped.reason).toBe('ada cancelled it');
    expect(existsSync(join(checkouts, String(before[0])))).toBe(true);
    expect(await stage.processes()).toEqual([]);
    await stage.settled();
    await stage.until('the command is answered', () => reactions().includes(`+1 on comment ${cancel}`));
    expect(comments()).toEqual([
      'I stopped before I was done: ada cancelled it. What I have done so far is kept, and nothing of it was published. Write here to let me go on.',
    ]);

    stage.model.release('asked');
    // The forge sends the same comment twice, and its commands are given once.
    await ada.comment(REPOSITORY, 1, '/claude fresh\n/claude retry');
    await stage.forge.settled();
    const told = stage.forge.deliveries.at(-1)!;
    await ada.redeliver(told.id);
    await stage.settled();
    expect((await commands()).map(({ verb, state }) => `${verb} ${state}`)).toEqual([
      'cancel done',
      'fresh done',
      'retry done',
    ]);
    const runs = await stage.dispatches();
    expect(runs.map(({ state, continuity }) => `${state} ${continuity}`)).toEqual([
      'cancelled fresh',
      'succeeded fresh',
    ]);
    expect(await stage.sessions()).toHaveLength(2);
    expect(comments().at(-1)).toContain('I did it.');
    expect(existsSync(join(checkouts, String(before[0])))).toBe(true);
    const conversation = await stage.rows
      .selectFrom('conversations')
      .select('fresh_asked')
      .executeTakeFirstOrThrow();
    expect(conversation.fresh_asked).toBeNull();
  });
});
