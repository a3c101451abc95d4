import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REPO, startTrial, type Trial } from '../../rehearsal/pocket-forge-trial.ts';
import { type BrokerStage, brokerStage, newId } from '../../test/support/broker.ts';
import { describeDatabases } from '../../test/support/databases.ts';
import { needs } from '../../test/support/requirements.ts';
import { ForgeUnavailable, LeaseLost } from '../errors.ts';
import type { Forge } from '../forges/forge.ts';

const tools = needs('git');
let trial: Trial;
beforeAll(async () => {
  trial = await startTrial();
});
afterAll(async () => await trial.end());

function bodies(stage: BrokerStage): string[] {
  const item = trial.forge.state.items.find((i) => i.number === stage.number)!;
  return trial.forge.state.comments.filter((c) => c.item === item.id).map((c) => c.body);
}

/** A forge whose answer to this call is lost, after or before it was done. */
function losing(forge: Forge, method: keyof Forge, when: 'after' | 'before'): Forge {
  return {
    ...forge,
    [method]: async (...args: unknown[]) => {
      if (when === 'after') await (forge[method] as (...all: unknown[]) => Promise<unknown>)(...args);
      throw new ForgeUnavailable('home: POST got no answer: reset. Check that the forge is up.');
    },
  };
}

describe.skipIf(!tools.ok)(tools.title('calls'), () => {
  describeDatabases('rows of calls', (open) => {
    const stageOf = async () => await brokerStage(trial, await open());

    test('the same call twice is done once and answered twice alike', async () => {
      const stage = await stageOf();
      const id = newId();
      const input = { number: stage.number, text: 'On it.' };
      const run = stage.run();
      const [first, second] = await Promise.all([
        run.call('comment', input, id),
        run.call('comment', input, id),
      ]);
      const third = await stage.run().call('comment', input, id);
      expect(first).toMatchObject({ isError: false, text: expect.stringContaining('Posted as comment') });
      expect([second, third]).toEqual([first, first]);
      expect(bodies(stage)).toEqual([`On it.\n\n<!-- claude-hooks ${stage.dispatchId}:${id} -->`]);
      expect(await stage.effects()).toMatchObject([
        { key: `${stage.dispatchId}:${id}`, kind: 'tool:comment', state: 'done' },
      ]);
    });

    test('another input, or another tool, under the same id is refused as a replay', async () => {
      const stage = await stageOf();
      const id = newId();
      await stage.run().call('comment', { number: stage.number, text: 'One.' }, id);
      const forged = await stage.run().call('comment', { number: stage.number, text: 'Two.' }, id);
      const other = await stage.run().call('react', { number: stage.number, reaction: 'eyes' }, id);
      expect(forged).toMatchObject({ isError: true, text: expect.stringContaining('another input') });
      expect(other.isError).toBe(true);
      expect(bodies(stage)).toHaveLength(1);
      expect((await stage.audit()).map((row) => row.decision)).toEqual(['allowed', 'denied', 'denied']);
    });

    test('an id that is no tool call’s is refused', async () => {
      const stage = await stageOf();
      for (const id of ['', 'comment', 'x --> <script>', 'a'.repeat(129)]) {
        const answer = await stage.run().call('comment', { number: stage.number, text: 'Hi.' }, id);
        expect(answer.isError).toBe(true);
      }
      expect(bodies(stage)).toEqual([]);
      expect(await stage.effects()).toEqual([]);
    });

    test('a comment whose answer was lost is found by its mark, and by our account only', async () => {
      const stage = await stageOf();
      const id = newId();
      const input = { number: stage.number, text: 'Look.' };
      const lost = await stage
        .run({}, { forge: losing(stage.forge, 'createComment', 'after') })
        .call('comment', input, id);
      expect(lost).toMatchObject({ isError: true, text: expect.stringContaining('Try again later') });
      expect(await stage.effects()).toMatchObject([{ state: 'planned', attempts: 1 }]);
      const again = await stage.run().call('comment', input, id);
      expect(again.isError).toBe(false);
      expect(bodies(stage)).toHaveLength(1);
    });

    test('a stranger who copies the mark of a call to come does not stand in for it', async () => {
      const stage = await stageOf();
      const id = newId();
      const input = { number: stage.number, text: 'Look.' };
      await trial.forge
        .as('ada')
        .comment(REPO, stage.number, `<!-- claude-hooks ${stage.dispatchId}:${id} -->`);
      await stage
        .run({}, { forge: losing(stage.forge, 'createComment', 'before') })
        .call('comment', input, id);
      await stage.run().call('comment', input, id);
      expect(bodies(stage)).toHaveLength(2);
    });

    test('after a crash the model repeats a call under a new id: it goes on with the old one', async () => {
      const stage = await stageOf();
      const input = { number: stage.number, text: 'Look.' };
      await stage.run({}, { forge: losing(stage.forge, 'createComment', 'after') }).call('comment', input);
      const second = await stage.run().call('comment', input);
      const third = await stage.run().call('comment', input);
      expect([second.isError, third.isError]).toEqual([false, false]);
      expect(third.text).toContain('did exactly this already');
      expect(bodies(stage)).toHaveLength(1);
      expect(await stage.effects()).toHaveLength(1);
    });

    test('writes are counted over all attempts of a dispatch, refused ones of ours are not', async () => {
      const stage = await stageOf();
      const limits = { maxWrites: 2 };
      const write = async (text: string) =>
        await stage.run(limits).call('comment', { number: stage.number, text });
      expect((await write('1')).isError).toBe(false);
      expect((await stage.run(limits).call('comment', { number: 9_999, text: 'no' })).isError).toBe(true);
      expect((await write('2')).isError).toBe(false);
      expect(await write('3')).toMatchObject({
        isError: true,
        text: expect.stringContaining('max_forge_writes'),
      });
      // What was done before is still answered.
      expect((await write('2')).isError).toBe(false);
      expect(bodies(stage)).toHaveLength(2);
    });

    test('a worker that lost its lease does nothing', async () => {
      const stage = await stageOf();
      const assertMine = () => Promise.reject(new LeaseLost('gone'));
      const answer = await stage.run({}, { assertMine }).call('comment', { number: stage.number, text: 'x' });
      expect(answer).toEqual({
        isError: true,
        text: expect.stringContaining('taken this conversation over'),
      });
      expect(bodies(stage)).toEqual([]);
    });

    test('a call that cannot be recorded is not answered', async () => {
      const stage = await stageOf();
      const audit = () => Promise.reject(new Error('disk full'));
      const answer = await stage.run({}, { audit }).call('read_item', { number: stage.number });
      expect(answer).toEqual({ isError: true, text: expect.stringContaining('could not be recorded') });
    });
  });
});
