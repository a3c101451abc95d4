import { expect, test } from 'vitest';
import { refuseSteering } from './steering-tools.ts';

const place = { cwd: '/work/app', config: '/state/x/cli', home: '/state/home' };
const MARKED = 'it has read text by eve';

test.each([
  ['Write', { file_path: '/work/app/CLAUDE.md' }, true],
  ['Edit', { file_path: 'sub/../.claude/settings.json' }, true],
  ['MultiEdit', { file_path: '/state/x/cli/projects/conversation/memory/MEMORY.md' }, true],
  ['NotebookEdit', { notebook_path: '.claude/x.ipynb' }, true],
  ['Write', { file_path: '~/.bashrc' }, true],
  ['Write', { file_path: '/work/app/src/a.ts' }, false],
  ['Write', { file_path: '/elsewhere/CLAUDE.md' }, false],
  ['Read', { file_path: '/work/app/CLAUDE.md' }, false],
  ['Write', {}, false],
  ['Write', null, false],
])('%s of %j is refused in a marked session: %s', (tool, input, isRefused) => {
  const refusal = refuseSteering(MARKED, place, { tool, input });
  expect(refusal !== null).toBe(isRefused);
  if (isRefused) expect(refusal).toContain(MARKED);
  expect(refuseSteering(null, place, { tool, input })).toBeNull();
});
