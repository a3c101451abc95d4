/**
 * What conversations of one agent have in common at the model: tools and system prompt to the byte, so that the second
 * reads from the cache what the first has written; and what a follow-up keeps of its first request: all of it.
 */
import { expect, test } from 'vitest';
import type { RecordedRequest } from '../rehearsal/model-record.ts';
import type { ContentBlock } from '../rehearsal/model-request.ts';
import { blocksOf } from '../rehearsal/model-request.ts';
import { testEngines } from './support/engines.ts';
import { needs, titleOf } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY } from './support/service-config.ts';

const bubblewrap = testEngines().find(({ name }) => name === 'bubblewrap')!;
const reason = [bubblewrap.need.reason, needs('cli', 'git').reason].filter((r) => r !== '').join('; ');

const billingLine = ({ systemText }: RecordedRequest) => systemText.split('\n')[0];
const uncached = ({ usage }: RecordedRequest) => usage!.input_tokens + usage!.cache_creation_input_tokens;
const bare = ({ cache_control, ...block }: ContentBlock) => block;
const said = ({ messages }: RecordedRequest) =>
  messages.map(({ role, content }) => ({ role, content: blocksOf(content).map(bare) }));

test.skipIf(reason !== '')(
  titleOf('two conversations begin alike, and a follow-up goes on from the same bytes', reason),
  async () => {
    const config = { container: { engine: 'bubblewrap' } };
    const stage = await Stage.open({ model: 'fallback: { text: I have read it. }', config });
    try {
      await stage.start();
      const ada = stage.forge.as(OWNER);
      await ada.createIssue(REPOSITORY, { title: 'Greeting is broken', body: 'heron-7', assignees: [DEV] });
      await stage.untilDispatch(1, 'succeeded');
      // Another sender, and another skill.
      const bob = stage.forge.as('bob');
      await bob.createIssue(REPOSITORY, {
        title: 'Farewell',
        body: `@${DEV} where is egret-9?`,
        assignees: [],
      });
      await stage.untilDispatch(2, 'succeeded');
      await ada.comment(REPOSITORY, 1, 'And now?');
      await stage.untilDispatch(3, 'succeeded');

      const [first, second, followUp] = stage.turns as [RecordedRequest, RecordedRequest, RecordedRequest];
      expect(second.prompt).toContain('bob wrote to you here.');
      expect([second.sent.tools, second.sent.system]).toEqual([first.sent.tools, first.sent.system]);
      expect(billingLine(first)).toMatch(/^x-anthropic-billing-header: /);
      expect(billingLine(second)).toBe(billingLine(first));
      expect(uncached(second)).toBeLessThanOrEqual(0.3 * uncached(first));

      expect(followUp.historyMessages).toBeGreaterThan(0);
      expect([followUp.sent.tools, followUp.sent.system]).toEqual([first.sent.tools, first.sent.system]);
      expect(said(followUp).slice(0, first.messages.length)).toEqual(said(first));
      expect(followUp.usage!.cache_read_input_tokens).toBe(uncached(first));
    } finally {
      await stage.close();
    }
  },
);
