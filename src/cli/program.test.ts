import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));
const PACKAGE = new URL('../../package.json', import.meta.url);
const run = promisify(execFile);

test('--version is that of the package, alone on its line', async () => {
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8'));
  const { stdout, stderr } = await run(process.execPath, [CLI, '--version']);
  expect({ stdout, stderr }).toEqual({ stdout: `${version}\n`, stderr: '' });
});

test.each(['18.20.8', '20.19.0', '22.12.0'])(
  'Node %s is refused in a sentence that says what to do',
  async (version) => {
    const older = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`;
    const args = ['--import', `data:text/javascript,${encodeURIComponent(older)}`, CLI, 'serve'];
    const ended = await run(process.execPath, args).catch((error: unknown) => error);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect((ended as { stderr: string }).stderr).toMatch(
      /^claude-hooks needs Node 24 or newer, and this is [\d.]+\. Install it .*node_modules\/\.bin\/node\.\n$/,
    );
  },
);
