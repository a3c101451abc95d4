import { expect, test } from 'vitest';
import { submoduleRepository } from './submodule-address.ts';

const at = { addresses: ['https://forge.example/git', 'http://10.0.0.1:3000'], fullName: 'team/app' };
test.each([
  ['../lib.git', 'team/lib'],
  ['../../other/lib', 'other/lib'],
  ['./../lib/', 'team/lib'],
  ['https://forge.example/git/team/lib.git', 'team/lib'],
  ['https://FORGE.example/git/team/lib', 'team/lib'],
  ['https://somebody:secret@forge.example/git/team/lib.git', 'team/lib'],
  ['http://10.0.0.1:3000/team/lib.git', 'team/lib'],
  ['https://forge.example/team/lib.git', null],
  ['http://forge.example/git/team/lib.git', null],
  ['https://forge.example.evil/git/team/lib.git', null],
  ['https://forge.example@evil.example/git/team/lib.git', null],
  ['https://forge.example/git/../team/lib.git', null],
  ['https://forge.example/git/team/%2e%2e', null],
  ['https://forge.example/git/team/lib.git?x=1', null],
  ['ssh://git@forge.example/git/team/lib.git', null],
  ['git@forge.example:team/lib.git', null],
  ['ext::sh -c touch', null],
  ['file:///etc', null],
  ['/srv/git/lib.git', null],
  ['../../../lib', null],
  ['../../../../forge.evil/team/lib', null],
  ['./lib', null],
  ['-u', null],
  ['', null],
])('%s means %s', (url, expected) => {
  expect(submoduleRepository(url, at)).toBe(expected);
});
