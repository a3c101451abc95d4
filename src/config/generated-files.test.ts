import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/generate-docs.ts', import.meta.url));

test('the pages of options and commands, and the schema, are what the sources say', async () => {
  await expect(promisify(execFile)(process.execPath, [script, '--check'])).resolves.toEqual({
    stdout: '',
    stderr: '',
  });
});
