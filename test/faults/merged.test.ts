/**
 * The pull request of the conversation is merged, and the service is killed just after it has pushed more work: the
 * forge has the commits already when they are looked at again, and yet they need a pull request. The merged branch is left
 * behind.
 */
import { expect, onTestFinished, test } from 'vitest';
import { OWNER, REPOSITORY } from '../support/service-config.ts';
import { describeCases, isRun, tellHowToReplay } from './case.ts';
import { Injector } from './injector.ts';

for (const dialect of ['sqlite', 'postgres'] as const) {
  const id = `${dialect}/merged/kill@effect.performed#1`;
  describeCases(dialect, isRun(id, dialect === 'sqlite') ? [id] : [], () => {
    test('killed after the push that follows a merge', async () => {
      const injector = await Injector.open({ id, dialect });
      onTestFinished(() => injector.close());
      tellHowToReplay(id, injector);
      const { stage, story } = injector;
      await injector.start();
      await injector.live();
      await stage.forge.as(OWNER).merge(REPOSITORY, 2, { style: 'merge' });
      await injector.settled();
      await injector.dieIn('kill@effect.performed#1');

      const { dispatches, effects, branch, pulls, comments } = await injector.facts('dev/1-2');
      expect.soft(dispatches.map((d) => d.state)).toEqual(['succeeded', 'succeeded']);
      expect.soft(branch.subjects).toEqual([story.line(2)]);
      expect.soft(pulls).toEqual([expect.anything(), { number: 3, head: branch.head }]);
      expect.soft(comments[1]).toContain('Pull request: #3');
      expect
        .soft(effects.slice(3).map((e) => `${e.kind} ${e.state}`))
        .toEqual(['push done', 'pull done', 'comment done']);
    });
  });
}
