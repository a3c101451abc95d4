/** What is said about agents (done, approved, published) is what they did. Whole service, real CLI, real git. */
import { afterEach, describe, expect, test } from 'vitest';
import { renderConversations, renderDescriptions } from '../src/cli/print/conversations.ts';
import { listConversations } from '../src/views/conversation-list.ts';
import { describeConversation } from '../src/views/conversations.ts';
import { call } from './support/cli.ts';
import { git } from './support/git-remotes.ts';
import { type LyingForge, openLyingForge } from './support/lying-forge.ts';
import { needs } from './support/requirements.ts';
import { perform } from './support/scenario-acts.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY } from './support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc');
let stage: Stage;
afterEach(async () => {
  await stage?.close();
});

type Step = { tools?: { name: string; input: Record<string, unknown> }[]; text?: string };

/** `behind`: what the service takes for the forge, in front of it. */
async function open(
  scenes: [prompt: string, steps: Step[]][],
  behind: LyingForge | null = null,
): Promise<void> {
  const list = scenes.map(([prompt, steps]) => ({ name: prompt, when: { prompt }, steps }));
  stage = await Stage.open({
    model: JSON.stringify({ scenes: list, fallback: { text: 'Done.' } }),
    forge: behind === null ? {} : { url: behind.url },
  });
  if (behind !== null) behind.lies.forge = stage.forge.url;
  await stage.start();
}

const bash = (command: string): Step => ({
  tools: [{ name: 'Bash', input: { command, description: 'a command' } }],
});
async function cli(...args: string[]): Promise<string> {
  const { code, out, err } = await call(['-c', stage.configFile, ...args], { env: stage.env });
  expect(code, err).toBe(0);
  return out;
}
const posted = () =>
  stage.forge.state.comments.filter((c) => c.body.includes('<!-- claude-hooks')).map((c) => c.body);
const ada = () => stage.forge.as(OWNER);

const submitted = () => stage.forge.state.reviews.filter((r) => r.submitted !== '' && r.body !== '');

async function push(branch: string, file: string): Promise<string> {
  await perform(stage, [
    { does: 'push', by: OWNER, repository: REPOSITORY, branch, file, content: `${file}\n` },
  ]);
  return git(stage.repositoryFolder(REPOSITORY), 'rev-parse', branch);
}

describe.skipIf(!here.ok)(here.title('what is so'), () => {
  test('a verdict is asked for once, counts as the bare word only, and is about the commit in the checkout', async () => {
    const look = bash('echo mine > coverage.out; git rev-parse HEAD');
    await open([
      ['its first line is no verdict', [{ text: '**Verdict: approve**' }]],
      [
        'Review the pull request as it is now',
        [look, { text: 'Verdict: approve once {{ last_tool_result }} is fixed\n\nOne bug.' }],
      ],
      ['Review this pull request', [look, { text: 'All is well at {{ last_tool_result }}.' }]],
    ]);
    git(stage.repositoryFolder(REPOSITORY), 'branch', 'feature', 'main');
    const first = await push('feature', 'one');
    const { number } = await ada().openPull(REPOSITORY, {
      title: 'One',
      body: '',
      head: 'feature',
      base: 'main',
    });
    await ada().requestReview(REPOSITORY, number, ['review-bot']);
    await stage.settled();

    const [approval] = submitted();
    expect(approval).toMatchObject({ state: 'APPROVED', commit: first });
    expect(approval!.body).toMatch(new RegExp(`^All is well at ${first}\\.`));
    // The question came into the same conversation, behind the answer it is about.
    const question = stage.turns.find((t) => t.scene === 'its first line is no verdict')!;
    expect(JSON.stringify(question.messages)).toContain(`All is well at ${first}.`);
    expect(question.prompt).not.toContain('You were cut off');

    const second = await push('feature', 'two');
    await stage.settled();
    const [, conditional] = submitted();
    expect(conditional).toMatchObject({ state: 'COMMENT', commit: second });
    expect(conditional!.body).toContain(`Verdict: approve once ${second} is fixed\n\nOne bug.`);
    expect(conditional!.body).toContain('This is a comment and no verdict');
    const [one, two] = await stage.dispatches();
    expect([one!.commit_sha, two!.commit_sha]).toEqual([first, second]);
    expect(two!.session_id).toBe(one!.session_id);
    expect(two!.prompt).toContain('was put aside, out of your reach');
    expect(stage.turns.filter((t) => t.scene === 'its first line is no verdict')).toHaveLength(1);
  });

  test('an answer that the forge refuses is kept, seen, told to the agent, and posted by a command', async () => {
    const front = await openLyingForge();
    try {
      await open(
        [
          ['nobody has read it', [{ text: 'Second.' }]],
          ['assigned this to you', [{ text: 'The first answer.' }]],
        ],
        front,
      );
      front.lies.refuses = /\/comments$/;
      await ada().createIssue(REPOSITORY, { title: 'One', body: '', assignees: [DEV] });
      await stage.settled();
      const [first] = await stage.dispatches();
      expect(first).toMatchObject({ state: 'unposted', answer: 'The first answer.' });
      expect(first!.reason).toContain('403');
      expect(stage.logged.join('')).toContain('refused by the forge');
      const metrics = await (await fetch(`${stage.url}/metrics`)).text();
      expect(metrics).toContain('claude_hooks_dispatches{state="unposted"} 1');
      expect(metrics).toContain('claude_hooks_effects{kind="comment",state="refused"} 1');
      const list = renderConversations(await listConversations(stage.rows, { limit: 9 }));
      expect(list).toContain('1 answer not posted');
      const described = renderDescriptions(await describeConversation(stage.rows, `${REPOSITORY}#1`));
      expect(described).toContain(`answers post ${first!.conversation_id}`);
      expect(described).toMatch(/unposted: .*403/);

      front.lies.refuses = null;
      expect(await cli('answers', 'post', `${REPOSITORY}#1`)).toContain('a running service does it now');
      await stage.settled();
      expect(posted()).toEqual([expect.stringContaining('The first answer.')]);
      expect((await stage.dispatches()).map((d) => d.state)).toEqual(['succeeded']);
      expect(stage.turns).toHaveLength(1);

      front.lies.refuses = /\/comments$/;
      await ada().comment(REPOSITORY, 1, 'And now?');
      await stage.settled();
      front.lies.refuses = null;
      await ada().comment(REPOSITORY, 1, 'Hello?');
      await stage.settled();
      expect(posted().at(-1)).toContain('Second.');
    } finally {
      await stage.close();
      await front.close();
    }
  });

  test('work on another branch is published, a push by the agent is news, and what stays behind is told', async () => {
    const commit = (word: string) =>
      `echo ${word} >> ${word}.txt && git add ${word}.txt && git commit -qm ${word}`;
    await open([
      ['And a second thing', [bash(`${commit('two')} && git push -q origin HEAD`), { text: 'Second done.' }]],
      [
        'assigned this to you',
        [bash(`git checkout -q -b mine && ${commit('one')} && echo x > notes.txt`), { text: 'Done.' }],
      ],
    ]);
    await ada().createIssue(REPOSITORY, { title: 'One', body: '', assignees: [DEV] });
    await stage.settled();
    const pulls = () => stage.forge.state.items.filter((i) => i.pull !== null);
    expect(pulls()).toHaveLength(1);
    expect(posted().at(-1)).toContain(`Pull request: #${pulls()[0]!.number}`);
    expect(posted().at(-1)).toContain('Not committed, so not published: `notes.txt`');

    await ada().merge(REPOSITORY, pulls()[0]!.number, { style: 'merge' });
    await stage.settled();
    await ada().comment(REPOSITORY, 1, 'And a second thing, please.');
    await stage.settled();
    expect(pulls()).toHaveLength(2);
    expect(posted().at(-1)).toContain(`Pull request: #${pulls()[1]!.number}`);
  });
});
