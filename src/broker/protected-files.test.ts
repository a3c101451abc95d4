import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PROTECTED_FILES, type Protection, protectionOf, throughLink } from './protected-files.ts';

const NONE: Protection = { add: [], allow: [], workflowFiles: false };

/** A file that the pattern means. */
function sampleOf(pattern: string): string {
  const inside = pattern.endsWith('/') ? `${pattern}a/b.yml` : pattern;
  return inside.replace(/^\*\*\//, 'some/where/').replaceAll('*', 'x');
}

describe('each pattern of the list', () => {
  test.each(PROTECTED_FILES.map((entry) => [entry.pattern, entry] as const))(
    '%s',
    (pattern, { group, is }) => {
      const path = sampleOf(pattern);
      expect(protectionOf(path, NONE)).toBe(is);
      expect(protectionOf(path.toUpperCase(), NONE)).toBe(is);
      expect(protectionOf(path.replace(/(\w)(?=\w*$)/, '$1\u200c'), NONE)).toBe(is);
      expect(protectionOf(`${path}. `, NONE)).toBe(is);
      const [first] = path.split('/');
      if (!pattern.startsWith('**') && first !== path) expect(protectionOf(first!, NONE)).not.toBe(null);
      expect(protectionOf(path, { ...NONE, workflowFiles: true }) === null).toBe(group === 'ci');
      expect(protectionOf(path, { ...NONE, allow: [pattern] })).toBe(null);
    },
  );

  test('stands there once', () => {
    const patterns = PROTECTED_FILES.map(({ pattern }) => pattern);
    expect(patterns.filter((one, n) => patterns.indexOf(one) !== n)).toEqual([]);
  });
});

test.each([
  '.forgejo/workflows/ci.yml',
  '.forgejo/actions/x/action.yml',
  '.github/actions/x/action.yml',
  '.woodpecker.yaml',
  '.drone.yml',
  '.drone.star',
  'Jenkinsfile',
  'ci/Jenkinsfile.release',
  '.circleci/config.yml',
  '.crow.yaml',
  '.builds/debian.yml',
  '.travis.yml',
  '.gitlab-ci.yml',
  '.pre-commit-config.yaml',
  'CODEOWNERS',
  'docs/CODEOWNERS',
  '.claude/settings.local.json',
  'packages/a/.mcp.json',
  'src/.gitattributes',
  '.gitmodules',
  'renovate.json5',
])('%s is protected', (path) => {
  expect(protectionOf(path, NONE)).not.toBe(null);
});

test.each([
  'docs/.github/workflows/x.yml',
  '.github/ISSUE_TEMPLATE/bug.md',
  'src/jenkins.ts',
  'CODEOWNERS.md',
  'src/owners.ts',
  '.claude/commands/deploy.md',
  '.gitignore',
  'woodpecker.yml',
  'package.json',
])('%s is not', (path) => {
  expect(protectionOf(path, NONE)).toBe(null);
});

test("the operator's own patterns: some more, some less", () => {
  const own = { ...NONE, add: ['deploy/', '**/*.pem'], allow: ['.gitattributes'] };
  expect(protectionOf('deploy/now.sh', own)).toContain('git.protected_files');
  expect(protectionOf('keys/a.pem', own)).toContain('git.protected_files');
  expect(protectionOf('.gitattributes', own)).toBe(null);
  expect(protectionOf('src/.gitattributes', own)).not.toBe(null);
});

test.each([
  ['.github/workflows/ci.yml', '../../ci/run.yml', ['ci/run.yml'], 'ci/run.yml'],
  ['.husky', 'tools', ['src/a', 'tools/pre-commit'], 'tools/pre-commit'],
  ['.husky', '.', ['src/a'], 'src/a'],
  ['.husky', '../../out', ['out'], null],
  ['.husky', '/etc', ['etc'], null],
  ['.husky', 'tools', ['tools2/a'], null],
])('%s → %s', (path, target, changed, found) => {
  expect(throughLink(changed, [{ path, target }])?.path ?? null).toBe(found);
});

test('the document names every pattern with its reason', () => {
  const page = readFileSync(new URL('../../docs/protected-files.md', import.meta.url), 'utf8');
  for (const { pattern, is } of PROTECTED_FILES) {
    const row = page.split('\n').find((line) => line.includes(`\`${pattern}\``));
    expect(row, pattern).toContain(is);
  }
});
