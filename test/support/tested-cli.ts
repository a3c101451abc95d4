/**
 * The CLI that the tests run: the pinned one, or the binary that CLAUDE_HOOKS_TEST_CLI names, to try another release
 * before it is pinned: `CLAUDE_HOOKS_TEST_CLI=<folder>/claude npx vitest run src/gateway test/scenarios.test.ts`.
 */
import { installedCli } from '../../src/container/cli-build.ts';

/** null = the pinned one */
export const OTHER_CLI: string | null = process.env.CLAUDE_HOOKS_TEST_CLI || null;

export function testedCli(): string {
  return OTHER_CLI ?? installedCli('glibc') ?? installedCli('musl')!;
}
