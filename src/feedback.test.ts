/** What the forge shows while work goes on, on a real forge with a clock of the test's own. */
import { afterEach, describe, expect, test } from 'vitest';
import { REPO } from '../rehearsal/pocket-forge-trial.ts';
import { PeopleStage } from '../test/support/people-stage.ts';
import { needs } from '../test/support/requirements.ts';
import { armFault } from './faults.ts';

const here = needs('git');
const MINUTE = 60_000;
afterEach(() => armFault(null));

describe.skipIf(!here.ok)(here.title('what people see while work goes on'), () => {
  test('a short run: eyes, and nothing else beside the answer', async () => {
    const stage = await PeopleStage.open();
    await stage.ada.createIssue(REPO, { title: 'Totals', body: 'Wrong.', assignees: ['bo'] });
    await stage.settled();
    const lease = await stage.lease();
    stage.now += MINUTE - 1000;
    await stage.settled();
    await stage.answer(lease, 'Done.');
    await stage.settle(lease, { state: 'succeeded' });
    await stage.settled();
    expect(stage.reactions()).toEqual(['eyes on #1']);
    expect(stage.comments(1)).toEqual(['Done.']);
  });
});
