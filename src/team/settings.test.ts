import { expect, test } from 'vitest';
import { ConfigFolder, SMALL_CONFIG } from '../../test/support/config-folder.ts';
import { mergeBy } from './settings.ts';

test('who merges: the exact entry, then that of the owner, then the general setting', () => {
  const repositories = "[team/shop, { name: 'other/*', merge: boss }, { name: other/own, merge: people }]";
  using folder = new ConfigFolder({
    'claude-hooks.yaml': SMALL_CONFIG.replace('[team/shop, other/*]', repositories),
  });
  const config = folder.load();
  const who = (fullName: string, merge = config.team.merge) =>
    mergeBy({ team: { ...config.team, merge } }, config.forges.home!, fullName);
  expect(who('team/shop')).toBe('people');
  expect(who('team/shop', 'boss')).toBe('boss');
  expect(who('other/any')).toBe('boss');
  expect(who('Other/Own', 'boss')).toBe('people');
});
