import { expect, test } from 'vitest';
import { HOME } from '../../../test/support/edge.ts';
import { contentsOf } from './contents.ts';

test('submodules are fetched with the account, from the configured address, and only where they are listed', () => {
  const forgeConfig = {
    ...HOME,
    url: 'https://forge.example',
    cloneUrl: 'http://10.0.0.1:3000',
    repositories: [{ pattern: 'team/*', secrets: [] }],
  };
  const { lfs, submodules } = contentsOf({ forgeConfig, account: { token: 't' }, maxLfsBytes: 7 });
  expect(lfs).toEqual({ fetch: false, maxBytes: 7 });
  expect(submodules.addresses).toEqual(['https://forge.example', 'http://10.0.0.1:3000']);
  expect(submodules.remoteOf('team/lib')).toEqual({ url: 'http://10.0.0.1:3000/team/lib.git', token: 't' });
  expect(submodules.remoteOf('other/lib')).toBe(null);
});
