/**
 * A spent budget stops a run of the real CLI in the middle, and a raise lets its session go on; then the court holds the
 * conversation that only a program woke, and `resume` lets it go on.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { DispatchRow } from '../src/database/tables.ts';
import { COMPILED } from './support/compiled.ts';
import { needs } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY, usualConfig } from './support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc');
const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

const MODEL = `scenes:
  - name: two requests
    when: { prompt: 'heron' }
    steps:
      - { text: Let me look., tools: [{ name: Bash, input: { command: 'echo looked' } }] }
      - text: I have looked.
fallback: { text: Answered. }`;

/** The first request of a run costs more than this, so the second is not sent. */
const CONFIG = {
  budgets: { conversation: { tokens: 1000 } },
  court: { runs_by_robots: 1, robots: [OWNER] },
};

async function claudeHooks(stage: Stage, ...args: string[]): Promise<string> {
  const env = { ...stage.env, ...COMPILED, USER: 'grace' };
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...args, '-c', stage.configFile], {
    env,
  });
  return stdout;
}

describe.skipIf(!here.ok)(here.title('money and loops'), () => {
  test('a budget stops a run in the middle, a raise continues it; the court holds, and a person resumes', async () => {
    await using stopping = new AsyncDisposableStack();
    const stage = await Stage.open({
      model: MODEL,
      configText: (at) => {
        const model = { upstream: at.model, api_key: '${MODEL_KEY}', retries: 0 };
        return usualConfig({ model: '', config: { model, ...CONFIG } }, at);
      },
    });
    stopping.defer(() => stage.close());
    await stage.start();
    const item = `${REPOSITORY}#1`;
    await stage.forge
      .as(OWNER)
      .createIssue(REPOSITORY, { title: 'An issue', body: 'heron', assignees: [DEV] });
    const parked = (count: number) =>
      stage.until(`dispatch ${count} is put off`, async (): Promise<DispatchRow | null> => {
        const row = (await stage.dispatches())[count - 1];
        return row?.state === 'parked' && row.hold_id !== null ? row : null;
      });

    const stopped = await parked(1);
    expect(stopped.reason).toMatch(/^the budget of dev on home:ada\/greeter#1 is spent: \d+ of 1000 tokens$/);
    expect(stage.turns).toHaveLength(1);
    expect(await stage.effects()).toEqual([]);
    expect(await stage.rows.selectFrom('model_reservations').selectAll().execute()).toEqual([]);
    expect(await claudeHooks(stage, 'holds')).toContain('is held until a person lifts it by its budget');
    expect(await claudeHooks(stage, 'conversations')).toMatch(/held until a person lifts it by its budget/);
    expect(await claudeHooks(stage, 'costs', '--by', 'conversation')).toContain(`dev on home:${item}`);
    expect(await claudeHooks(stage, 'budget', 'raise', item, '1000000tokens')).toContain('goes on now');
    await stage.untilDispatch(1, 'succeeded');
    expect((await stage.dispatches())[0]).toMatchObject({ attempt: 2, continuity: 'resumed' });
    expect((await stage.sessions()).map(({ state }) => state)).toEqual(['verified']);

    await stage.forge.as(OWNER).comment(REPOSITORY, 1, 'Once more.');
    const held = await parked(2);
    expect(held.reason).toBe(
      'programs have woken this agent once in a row, and no person has said anything; a person looks and resumes it',
    );
    expect(held.attempt).toBe(0);
    const turns = stage.turns.length;
    expect(await claudeHooks(stage, 'explain', item)).toContain(
      'held until a person lifts it by the loop court',
    );
    expect(await claudeHooks(stage, 'resume', item)).toContain('is not held any more');
    await stage.untilDispatch(2, 'succeeded');
    expect(stage.turns.length).toBe(turns + 1);
    const lifted = await stage.rows
      .selectFrom('holds')
      .select(['by_kind', 'lifted_by'])
      .orderBy('seq')
      .execute();
    expect(lifted).toEqual([
      { by_kind: 'budget', lifted_by: 'grace' },
      { by_kind: 'court', lifted_by: 'grace' },
    ]);
  });
});
