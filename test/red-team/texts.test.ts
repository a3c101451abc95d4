/**
 * Anybody who may comment, against the whole service: texts too long or too entangled to read. The item answers, and
 * the request that reaches the model stays below a bound, whatever was written.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { needs } from '../support/requirements.ts';
import { Stage } from '../support/service.ts';
import { DEV, OWNER, REPOSITORY, STRANGER } from '../support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc');
/** Characters of one request: the CLI's own instructions and tools are about a fifth of it. */
const LARGEST_REQUEST = 400_000;

let stage: Stage;
afterEach(async () => {
  await stage.close();
});

/** An issue that strangers write under before somebody with permission wakes the agent. */
async function answered(comments: string[], title = 'Greeting is broken'): Promise<string> {
  stage = await Stage.open({ model: 'fallback: { text: I am here. }' });
  await stage.start();
  const ada = stage.forge.as(OWNER);
  await ada.createIssue(REPOSITORY, { title, body: 'The code word is heron-7.' });
  const eve = stage.forge.as(STRANGER);
  for (const [index, body] of comments.entries()) {
    await eve.comment(REPOSITORY, 1, body);
    // A busy machine takes a second for each megabyte of a delivery, and the patience of a stage is for one of them.
    if (index % 8 === 7) await stage.settled();
  }
  // The forge's times are whole seconds, and what a stranger wrote in the second of the trigger is left out.
  const written = Math.floor(Date.now() / 1000);
  await stage.until('the next second', () => Math.floor(Date.now() / 1000) > written + 1);
  await ada.comment(REPOSITORY, 1, `@${DEV} please look at this. The word is osprey-4.`);
  await stage.settled();
  const { state, users } = { state: stage.forge.state, users: stage.forge.state.users };
  const dev = users.find((u) => u.login === DEV)!.id;
  expect(state.comments.filter((c) => c.author === dev)).toHaveLength(1);
  expect((await stage.dispatches()).map((d) => d.state)).toEqual(['succeeded']);
  const requests = stage.turns.map((turn) => JSON.stringify(turn.messages));
  for (const request of requests) expect(request.length).toBeLessThan(LARGEST_REQUEST);
  const [first] = requests;
  for (const word of ['osprey-4', 'heron-7']) expect(first!.includes(word)).toBe(true);
  return first!;
}

describe.skipIf(!here.ok)(here.title('a stranger who writes'), () => {
  test('262 kB of backticks, as a comment that the run reads', async () => {
    const request = await answered(['`'.repeat(262_144), '` '.repeat(131_072)]);
    expect(request.includes('cut by claude-hooks')).toBe(true);
  });

  test('32 comments of 1.1 MB', async () => {
    const request = await answered(Array.from({ length: 32 }, () => 'words and more words '.repeat(52_400)));
    expect(stage.forge.state.comments).toHaveLength(34);
    expect(/There was no room for \d+ older comments: .*\d+ by eve/.test(request)).toBe(true);
  });

  test('four comments of 1 MB', async () => {
    await answered(Array.from({ length: 4 }, (_, n) => `${n} ${'\u4e2d\u6587'.repeat(500_000)}`));
  });

  test('marks in marks, tags in tags, and links in links', async () => {
    const units = ['<!-- claude-hooks ', '<a b="', '![', '](', '> ', '- ', '_a*', '[a](b "'];
    await answered(units.map((unit) => unit.repeat(Math.ceil(300_000 / unit.length))));
  });
});
