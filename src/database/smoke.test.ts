import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
describeDatabases('smoke', (open) => {
  test.each([1,2,3,4,5,6,7,8,9,10])('opens %i', async () => {
    const d = await open();
    expect(await d.rows.selectFrom('deliveries').selectAll().execute()).toEqual([]);
  });
});
