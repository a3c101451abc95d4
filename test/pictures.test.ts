/** Pictures on the forge through the whole service: what the model receives, and that no picture costs a session. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
import type { ContentBlock } from '../rehearsal/model-request.ts';
import { parseModelScript } from '../rehearsal/model-script.ts';
import type { Service } from '../src/wiring.ts';
import { needs } from './support/requirements.ts';
import { bombPng, plainPicture } from './support/sample-pictures.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY } from './support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc');
let stage: Stage;
afterEach(async () => {
  await stage?.close();
});

interface ImageBlock extends ContentBlock {
  source: { type: string; media_type: string; data: string };
}

/** Colours of the pictures in the last request of a turn, oldest first. */
async function colours(): Promise<string[]> {
  const blocks = stage.turns
    .at(-1)!
    .messages.flatMap(({ content }) => (Array.isArray(content) ? content : []))
    .filter((block): block is ImageBlock => block.type === 'image');
  return await Promise.all(
    blocks.map(async ({ source }) => {
      const { dominant } = await sharp(Buffer.from(source.data, 'base64')).stats();
      return dominant.r > dominant.b ? 'red' : 'blue';
    }),
  );
}

const red = () => plainPicture({ format: 'png', width: 30, height: 20, colour: '#ee1111' });
const blue = () => plainPicture({ format: 'webp', width: 30, height: 20, colour: '#1111ee' });

/** A person adds a file to a comment that calls the agent. */
async function comment(words: string, bytes: Uint8Array, name: string): Promise<void> {
  await stage.forge.as(OWNER).commentWith(REPOSITORY, 1, `@${DEV} ${words}`, { name, bytes });
}

async function begin(scenes: unknown[]): Promise<Service> {
  stage = await Stage.open({ model: JSON.stringify({ scenes, fallback: { text: 'Seen.' } }) });
  const service = await stage.start();
  const ada = stage.forge.as(OWNER);
  const { number } = await ada.createIssue(REPOSITORY, { title: 'The button is red', body: '' });
  const parts = [
    ['shot.png', await red()],
    ['huge.png', bombPng()],
    ['drawing.svg', Buffer.from('<svg><script>alert(1)</script></svg>')],
    ['wrong.png', Buffer.from('this is no picture')],
  ] as const;
  const lines: string[] = [];
  for (const [name, bytes] of parts) {
    lines.push(`![](${await ada.attach(REPOSITORY, { number }, { name, bytes })})`);
  }
  await ada.editIssue(REPOSITORY, number, { body: `See:\n${lines.join('\n')}` });
  await ada.assign(REPOSITORY, number, [DEV]);
  await stage.settled();
  return service;
}

describe.skipIf(!here.ok)(here.title('pictures on the forge'), () => {
  test('reach the model, stay in its history over resume and restore, and hostile ones are named', async () => {
    const service = await begin([]);
    expect(await colours()).toEqual(['red']);
    const { prompt } = stage.turns.at(-1)!;
    expect(prompt).toContain('Picture 1 below stands in the description of #1 by ada: 30×20 pixels.');
    expect(prompt).toContain('is not shown: it has 20000×5000 pixels');
    expect(prompt).toContain('is not shown: it is SVG');
    expect(prompt).toContain('is not shown: its bytes are no PNG, JPEG, GIF or WebP');
    await comment('And now?', await blue(), 'now.webp');
    await stage.settled();
    expect(await colours()).toEqual(['red', 'blue']);
    await service.stop();
    rmSync(join(stage.state, 'conversations'), { recursive: true, force: true });
    await stage.start();
    await stage.forge.as(OWNER).comment(REPOSITORY, 1, `@${DEV} What did you see?`);
    await stage.settled();
    expect(await colours()).toEqual(['red', 'blue']);
    const dispatches = await stage.dispatches();
    expect(dispatches.map(({ state, continuity }) => [state, continuity])).toEqual([
      ['succeeded', 'fresh'],
      ['succeeded', 'resumed'],
      ['succeeded', 'restored'],
    ]);
    expect((await stage.sessions()).length).toBe(1);
  });

  test('that the model does not take are asked about once more in words, in the same session', async () => {
    await begin([]);
    const refusal = {
      status: 400,
      type: 'invalid_request_error',
      message: 'messages.0.content.1.image.source.base64: Could not process image',
    };
    stage.model.use(
      parseModelScript(
        JSON.stringify({
          scenes: [
            {
              name: 'refused',
              when: { prompt: 'Picture 1 below stands in the comment' },
              steps: [{ faults: [{ error: refusal, times: 'always' }] }],
            },
          ],
          fallback: { text: 'Without it.' },
        }),
        'refusing',
      ),
    );
    await comment('And now?', await blue(), 'now.webp');
    await stage.settled();
    expect(await colours()).toEqual(['red']);
    expect(stage.turns.at(-1)!.prompt).toContain('1 pictures are left out: the model did not take them.');
    await stage.forge.as(OWNER).comment(REPOSITORY, 1, `@${DEV} Go on.`);
    await stage.settled();
    expect(await colours()).toEqual(['red']);
    const dispatches = await stage.dispatches();
    expect(dispatches.map(({ state, continuity }) => [state, continuity])).toEqual([
      ['succeeded', 'fresh'],
      ['succeeded', 'resumed'],
      ['succeeded', 'resumed'],
    ]);
    expect((await stage.sessions()).length).toBe(1);
  });
});
