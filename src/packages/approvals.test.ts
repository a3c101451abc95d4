import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { approveCommit, approvedCommits, listApprovals, withdrawApproval } from './approvals.ts';

const SHA = 'a'.repeat(40);

describeDatabases('approvals', (open) => {
  test('count for one repository, until they are withdrawn', async () => {
    const { rows } = await open();
    const one = { forge: 'home', repository: 'Ada/Greeter', commit: SHA, by: 'ada', because: 'read', now: 5 };
    const id = await approveCommit(rows, one);
    expect(await approvedCommits(rows, { forge: 'home', repository: 'ada/greeter' })).toEqual([SHA]);
    expect(await approvedCommits(rows, { forge: 'home', repository: 'ada/other' })).toEqual([]);
    expect(await approvedCommits(rows, { forge: 'other', repository: 'ada/greeter' })).toEqual([]);
    expect(await withdrawApproval(rows, { id, by: 'bob', now: 6 })).toBe(true);
    expect(await withdrawApproval(rows, { id, by: 'bob', now: 7 })).toBe(false);
    expect(await approvedCommits(rows, { forge: 'home', repository: 'ada/greeter' })).toEqual([]);
    expect(await listApprovals(rows)).toMatchObject([
      { id, repository: 'ada/greeter', withdrawn: { at: 6, by: 'bob' } },
    ]);
  });
});
