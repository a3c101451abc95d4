/**
 * The service is killed while an agent writes by a forge tool: before the act, between act and record, after the record
 * but before the model has heard of it. The model then makes the call again, under another id.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { needs } from '../support/requirements.ts';
import { Stage } from '../support/service.ts';
import { DEV, OWNER, REPOSITORY, usualConfig } from '../support/service-config.ts';

const MODEL = `
scenes:
  - name: work
    when: { prompt: assigned this to you }
    steps:
      - tools: [{ name: mcp__forge__comment, input: { number: 1, text: On it. } }]
      - text: Done.
fallback: { text: Done. }
`;

const here = needs('cli', 'git', 'flock', 'proc');
let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

describe.skipIf(!here.ok)(here.title('killed in a forge tool'), () => {
  for (const point of ['effect.planned', 'effect.performed', 'effect.recorded']) {
    test(`at ${point}, the comment stands there once`, async () => {
      const env: Record<string, string> = { CLAUDE_HOOKS_FAULT: `kill@${point}#1` };
      stage = await Stage.open({
        model: MODEL,
        configText: (at) => {
          const usual = usualConfig({ model: MODEL }, at);
          return { ...usual, env: Object.assign(env, usual.env) };
        },
      });
      const doomed = await stage.spawn();
      const item = { title: 'Lines', body: 'Add one.', assignees: [DEV] };
      await stage.forge.as(OWNER).createIssue(REPOSITORY, item);
      await doomed.ended;
      expect((await stage.effects()).map((e) => e.kind)).toEqual(['tool:comment']);
      delete env.CLAUDE_HOOKS_FAULT;
      await stage.spawn();
      await stage.untilDispatch(1, 'succeeded');
      const bodies = stage.forge.state.comments.map((c) => c.body.split('\n')[0]);
      expect(bodies).toEqual(['On it.', 'Done.']);
      const effects = await stage.effects();
      expect(effects.map((e) => `${e.kind} ${e.state}`)).toContain('tool:comment done');
      expect(effects.filter((e) => e.kind === 'tool:comment')).toHaveLength(1);
    });
  }
});
