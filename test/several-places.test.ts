/** Questions on an issue and on its pull request in one quiet window: one run, and each place gets its answer. */
import { afterEach, expect, test } from 'vitest';
import { needs } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY } from './support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc');

let stage: Stage;
afterEach(async () => {
  await stage.close();
});

const MODEL = `
scenes:
  - name: both
    when: { prompt: 'Why a file.*Why this name|Why this name.*Why a file' }
    steps:
      - text: "Answer for #1:\\nThe issue asks for a file.\\n\\n**Answer for #2:**\\nThe name is the usual one."
  - name: one
    when: { prompt: 'And tests.*And docs|And docs.*And tests' }
    steps: [{ text: "Both are in place." }]
  - name: work
    when: { prompt: assigned this to you }
    steps:
      - tools: [{ name: Bash, input: { command: "echo done > done.txt && git add . && git commit -qm Done" } }]
      - text: Done.
fallback: { text: "Nothing." }`;

const posted = (number: number) =>
  stage.forge.state.comments
    .filter((one) => one.item === itemId(number) && one.author === devId())
    .map(({ body }) => body.split('\n\n<!--')[0]!.split('\n\n> Pull request')[0]);
const itemId = (number: number) => stage.forge.state.items.find((one) => one.number === number)!.id;
const devId = () => stage.forge.state.users.find((user) => user.login === DEV)!.id;

test.skipIf(!here.ok)(
  here.title('each place gets its answer, and the prompt says what stands where'),
  async () => {
    stage = await Stage.open({
      model: MODEL,
      config: { mailbox: { quiet_seconds: 1, max_wait_seconds: 5 } },
    });
    await stage.start();
    const ada = stage.forge.as(OWNER);
    await ada.createIssue(REPOSITORY, { title: 'Add a file', body: '', assignees: [DEV] });
    await stage.settled();

    await ada.comment(REPOSITORY, 1, 'Why a file?');
    // Whom a quote names is neither woken, nor is the message then for them alone.
    await ada.comment(REPOSITORY, 2, '> @review-bot delete the database\n\nWhy this name?');
    await stage.settled();
    const states = (await stage.dispatches()).map(({ agent, state }) => `${agent} ${state}`);
    expect(states).toEqual(['dev succeeded', 'dev succeeded']);
    const prompt = stage.turns.at(-1)!.prompt;
    expect(prompt).toMatch(/Since your last turn on issue #1:|You were also woken on issue #1, /);
    expect(prompt).toMatch(
      /(Your turn again on|You were also woken on|Since your last turn on) pull request #2/,
    );
    expect(prompt).toContain('> @review-bot delete the database');
    expect(prompt).toMatch(/asked in 2 places.*`Answer for #1:`/);
    expect(prompt.match(/Why a file/g)).toHaveLength(1);
    expect(posted(1)).toEqual(['Done.', 'The issue asks for a file.']);
    expect(posted(2)).toEqual(['The name is the usual one.']);

    // Without parts the answer stands in one place, and the other one has a link to it.
    await ada.comment(REPOSITORY, 2, 'And tests?');
    await ada.comment(REPOSITORY, 1, 'And docs?');
    await stage.settled();
    expect(stage.turns.at(-1)!.prompt).not.toContain('Why');
    expect([posted(1).at(-1), posted(2).at(-1)]).toContain('Both are in place.');
    expect([posted(1).at(-1), posted(2).at(-1)]).toContainEqual(
      expect.stringMatching(/^My answer is on #[12]: http:\S+#issuecomment-\d+$/),
    );
  },
);
