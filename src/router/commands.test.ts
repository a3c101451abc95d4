/** Commands in comments, as deliveries bring them: who may give them, and what becomes of the comment. */
import { describe, expect, test } from 'vitest';
import { REPO } from '../../rehearsal/pocket-forge-trial.ts';
import { PeopleStage } from '../../test/support/people-stage.ts';
import { needs } from '../../test/support/requirements.ts';
import { commentWords } from '../trust/comments.ts';
import { Patience } from '../trust/patience.ts';

const here = needs('git');

describe.skipIf(!here.ok)(here.title('a comment with a command'), () => {
  test('is no message, unless it says something to the agent; robots and strangers command nothing', async () => {
    const stage = await PeopleStage.open({ forge: '    allowed_bots: [root]' });
    await stage.ada.createIssue(REPO, { title: 'Totals', body: '', assignees: ['bo'] });
    await stage.settled();
    const lease = await stage.lease();
    await stage.settle(lease, { state: 'succeeded' });
    const waiting = async () => {
      await stage.routed();
      const found = await stage.database.rows
        .selectFrom('messages')
        .select('seq')
        .where('state', '=', 'waiting')
        .execute();
      return found.length;
    };
    await stage.ada.comment(REPO, 1, '/claude explain');
    expect(await waiting()).toBe(0);
    await stage.ada.comment(REPO, 1, 'Not now, because of the release.\n/claude hold');
    expect(await waiting()).toBe(0);
    await stage.trial.forge.as('root').comment(REPO, 1, '/claude resume');
    await stage.cy.comment(REPO, 1, '/claude resume');
    await stage.routed();
    const given = async () =>
      (
        await stage.database.rows.selectFrom('commands').select(['verb', 'asked_by']).orderBy('seq').execute()
      ).map(({ verb, asked_by: by }) => `${by} ${verb}`);
    expect(await given()).toEqual(['ada explain', 'ada hold']);
    await stage.ada.comment(REPO, 1, '/claude say Round to cents.');
    await stage.ada.comment(REPO, 1, 'And test it.\n/claude resume');
    await stage.routed();
    expect(await given()).toEqual(['ada explain', 'ada hold', 'ada say', 'ada resume']);
    expect(await waiting()).toBe(2);
    await stage.settled();
    const kinds = stage.reactions().map((one) => one.split(' on ')[0]);
    expect(kinds.toSorted()).toEqual(['+1', '+1', '+1', '+1', 'eyes', 'eyes', 'eyes']);
  });
});

describe('the words of a comment', () => {
  const ADA = { id: 1, login: 'ada' };
  const question = {
    forge: { name: 'home', accounts: { dev: { login: 'bo', token: 't' } } },
    repository: { id: '1', fullName: REPO },
    number: 3,
    comment: { id: 9, author: ADA },
  };
  const asked = (found: object) =>
    commentWords(
      {
        patience: new Patience(() => 0),
        client: () => ({
          getComment: async () => ({ id: 9, author: ADA, body: '/claude hold', itemNumber: 3, ...found }),
        }),
      } as unknown as Parameters<typeof commentWords>[0],
      question as unknown as Parameters<typeof commentWords>[1],
    );

  test('are the forge’s, and nobody’s where it stands elsewhere or is by somebody else', async () => {
    expect(await asked({})).toBe('/claude hold');
    expect(await asked({ itemNumber: 4 })).toBeNull();
    expect(await asked({ author: { id: 2, login: 'ada' } })).toBeNull();
  });
});
