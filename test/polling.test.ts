/**
 * `intake: poll`, without any hook, on the whole service with the real CLI: an assigned issue is answered, and what comes later
 * continues its session. Two runs in a row that leave nothing of what their skill promises ask a person, once, in the thread.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { historyText } from './support/conversation.ts';
import { needs } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY } from './support/service-config.ts';

/** Its skill promises commits or a pull request; it only talks. */
const MODEL = `scenes:
  - name: answer
    when: { prompt: 'What was the word' }
    recall: { word: 'code word is ([\\w-]+)' }
    steps: [{ text: 'It was {{ recall.word }}.' }]
fallback: { text: I have thought about it. }`;

const here = needs('cli', 'git', 'flock', 'proc');
let stage: Stage;
afterEach(async () => await stage.close());

/** Comments of the agent, without our hidden markers. */
function said(): string[] {
  const { comments, users } = stage.forge.state;
  const dev = users.find(({ login }) => login === DEV)!.id;
  return comments.filter(({ author }) => author === dev).map(({ body }) => body.split('\n\n<!--')[0]!);
}

const asks = () => stage.rows.selectFrom('asks').select(['kind', 'state']).orderBy('seq').execute();

describe.skipIf(!here.ok)(here.title('a forge that is looked at'), () => {
  test('needs no hook: an issue is answered, a comment resumes it, and runs without a result ask a person once', async () => {
    stage = await Stage.open({
      model: MODEL,
      isHookless: true,
      forge: { intake: 'poll', look_seconds: 5, webhook_secret: undefined },
    });
    await stage.start();
    await stage.untilLogged('is looked at from now on');
    const ada = stage.forge.as(OWNER);
    const body = 'The code word is heron-51.';
    await ada.createIssue(REPOSITORY, { title: 'Greeting', body, assignees: [DEV] });
    await stage.untilDispatch(1, 'succeeded');
    expect(said()).toEqual([expect.stringContaining('I have thought about it.')]);

    await ada.comment(REPOSITORY, 1, 'What was the word?');
    const second = await stage.untilDispatch(2, 'succeeded');
    expect(second.continuity).toBe('resumed');
    expect(historyText(stage.turns.at(-1)!)).toContain(body);
    expect(said().at(-1)).toContain('It was heron-51.');

    const again = async (n: number) => {
      await ada.assign(REPOSITORY, 1, []);
      await ada.assign(REPOSITORY, 1, [DEV]);
      await stage.untilDispatch(n, 'succeeded');
    };
    const questions = () => said().filter((text) => text.includes('times in a row without a result'));
    await again(3);
    expect(questions()).toEqual([]);
    await again(4);
    expect(questions()).toHaveLength(1);
    const [question] = questions();
    expect(question).toMatch(/^I have run 2 times in a row/);
    expect(question!.match(/work-on-issue/g)).toHaveLength(2);
    expect(question).toContain('new commits');
    expect(await asks()).toEqual([{ kind: 'stuck', state: 'open' }]);

    // A person who asks for it again has seen the question, and it is not put a second time.
    await again(5);
    expect(questions()).toHaveLength(1);
    expect(await asks()).toEqual([{ kind: 'stuck', state: 'answered' }]);
    const progress = (await stage.dispatches()).map((d) => d.progress);
    expect(progress).toEqual(['none', 'made', 'none', 'none', 'none']);

    expect(stage.forge.deliveries).toEqual([]);
    const sources = await stage.rows.selectFrom('events').select('source').distinct().execute();
    expect(sources).toEqual([{ source: 'reconciled' }]);
    const sessions = await stage.sessions();
    expect(sessions.map(({ state }) => state)).toEqual(['verified']);
  });
});
