/**
 * The design review of a pull request through the whole service: a reviewer in a container without a network opens the page in
 * Chromium, shows the fault it finds, and approves the fix.
 */
import sharp from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
import { testEngines } from './support/engines.ts';
import { needs, titleOf } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY } from './support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc', 'chromium');
const engine = testEngines().find(({ name }) => name === 'bubblewrap')!;
const reason = [engine.need.reason, here.reason].filter((r) => r !== '').join('; ');

let stage: Stage;
afterEach(async () => {
  await stage?.close();
});

const REVIEWER = [
  '---',
  'name: reviewer',
  'description: Reviews how pages look.',
  'publish: review',
  'forge_tools: [read_item, attach_picture]',
  'container: { tools: [design-review] }',
  '---',
  'You review how pages look.',
].join('\n');

const FLOWS = [
  '- { name: reviewer-requested, skill: design-review }',
  '- { name: reviewer-new-commits, skill: design-review }',
].join('\n');

const PAGE =
  '<!doctype html><html lang="en"><title>Greeter</title><link rel="stylesheet" href="app.css"><main><h1>Greeter</h1><button class="greet">Greet</button></main></html>';
const CSS = (ink: string) => `.greet { color: ${ink}; background: #0b57d0; border: 0; padding: 12px 24px; }`;
const write = (ink: string) =>
  `mkdir -p site && printf %s '${PAGE}' > site/index.html && printf %s '${CSS(ink)}' > site/app.css && git add site && git commit -qm 'Page in ${ink}'`;
const bash = (command: string) => ({ tools: [{ name: 'Bash', input: { command, description: 'work' } }] });
const REVIEW = bash(
  '/run/claude-hooks/tools/design-review --after site --size phone --theme light && fc-match sans-serif',
);

describe.skipIf(reason !== '')(titleOf('a design review of a pull request', reason), () => {
  test('shows the fault, and approves the fix in the same conversation', async () => {
    stage = await Stage.open({
      model: JSON.stringify({
        scenes: [
          {
            name: 'work',
            when: { prompt: 'assigned this to you' },
            steps: [bash(write('#5b8fe0')), { text: 'There is a page now.' }],
          },
          {
            name: 'review',
            when: { prompt: 'Review how this pull request looks and works' },
            steps: [
              REVIEW,
              {
                tools: [
                  {
                    name: 'mcp__forge__attach_picture',
                    input: { number: 2, path: 'design-review/start-phone-light-after.png' },
                  },
                ],
              },
              { text: 'Verdict: request-changes\n\nThe button cannot be read. {{ last_tool_result }}' },
            ],
          },
          {
            name: 'rework',
            when: { prompt: 'Go through every point of the review' },
            steps: [bash(write('#ffffff')), { text: 'It is white now.' }],
          },
          {
            name: 'again',
            when: { prompt: 'Review how the pull request looks as it is now' },
            steps: [REVIEW, { text: 'Verdict: approve\n\n{{ last_tool_result }}' }],
          },
        ],
      }),
      files: { 'agents/reviewer.md': REVIEWER, 'flows/design.yaml': FLOWS },
      config: { container: { engine: 'bubblewrap' } },
    });
    await stage.start();
    const ada = stage.forge.as(OWNER);
    await ada.createIssue(REPOSITORY, { title: 'A page', body: 'Please.' });
    await ada.assign(REPOSITORY, 1, [DEV]);
    await stage.settled();
    await ada.requestReview(REPOSITORY, 2, ['review-bot']);
    await stage.settled();

    const { reviews, attachments = [] } = stage.forge.state;
    expect(reviews.map(({ state }) => state)).toEqual(['REQUEST_CHANGES', 'APPROVED']);
    const [first, second] = reviews.map(({ body }) => body);
    expect(attachments).toHaveLength(1);
    expect(first).toContain(`![picture](/attachments/${attachments[0]!.uuid})`);
    expect(await sharp(Buffer.from(attachments[0]!.data, 'base64')).metadata()).toMatchObject({ width: 390 });
    expect(second).toContain('No problem found.');
    const seen = stage.turns.flatMap(({ messages }) =>
      messages.flatMap(({ content }) => JSON.stringify(content)),
    );
    expect(seen.some((text) => text.includes('color-contrast') && text.includes('`button`'))).toBe(true);
    expect(
      (await stage.dispatches()).map(({ agent, state, continuity }) => [agent, state, continuity]),
    ).toEqual([
      ['dev', 'succeeded', 'fresh'],
      ['reviewer', 'succeeded', 'fresh'],
      ['dev', 'succeeded', 'resumed'],
      ['reviewer', 'succeeded', 'resumed'],
    ]);
  });
});
