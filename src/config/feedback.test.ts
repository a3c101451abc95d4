import { expect, test } from 'vitest';
import { ConfigFolder, SMALL_CONFIG } from '../../test/support/config-folder.ts';
import { feedbackOf } from './listed-repositories.ts';

test('the nearest setting counts: of the repository, of the forge, of all', () => {
  const text = `feedback: reaction\n${SMALL_CONFIG.replace(
    'repositories: [team/shop, other/*]',
    'repositories: [team/shop, { name: other/*, feedback: none }, { name: other/one, feedback: full }]',
  )}`;
  using folder = new ConfigFolder({ 'claude-hooks.yaml': text });
  const config = folder.load();
  const at = (fullName: string) => feedbackOf(config, { forge: 'home', fullName });
  expect(['team/shop', 'Other/two', 'other/ONE'].map(at)).toEqual(['reaction', 'none', 'full']);
  expect(feedbackOf(config, { forge: 'gone', fullName: 'team/shop' })).toBe('none');
  folder.write({
    'claude-hooks.yaml': text.replace('    kind: forgejo', '    feedback: full\n    kind: forgejo'),
  });
  const ofForge = folder.load();
  expect(feedbackOf(ofForge, { forge: 'home', fullName: 'team/shop' })).toBe('full');
  expect(feedbackOf(ofForge, { forge: 'home', fullName: 'other/two' })).toBe('none');
  folder.write({ 'claude-hooks.yaml': SMALL_CONFIG });
  expect(feedbackOf(folder.load(), { forge: 'home', fullName: 'team/shop' })).toBe('full');
});
