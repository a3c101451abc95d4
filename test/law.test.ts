import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BESIDE, importsOf, LONGEST_FILE, ROOMS, WORDS } from '../scripts/law.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folders: string[] = [];

afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

async function tree(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'claude-hooks-law-'));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

async function check(folder: string): Promise<{ code: number; output: string }> {
  return await new Promise((resolve) => {
    const args = [join(root, 'scripts/check-law.ts'), folder];
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

test('the law holds in this repository', async () => {
  const { code, output } = await check(root);
  expect(output).toMatch(/^The law holds in \d+ files\.\n$/);
  expect(code).toBe(0);
});

test('a small lawful tree passes, tests in it may import what they like', async () => {
  const folder = await tree({
    'src/vocabulary.ts': 'export type Name = string;\n',
    'src/database/tables.ts': "import type { Name } from '../vocabulary.ts';\nexport type Row = Name;\n",
    'src/inbox.ts': "export type { Row } from './database/tables.ts';\n",
    'src/inbox.test.ts': "import '../test/support/rows.ts';\nimport './worker.ts';\nprocess.env.HOME;\n",
    'src/worker.ts': 'export const at = 1;\n',
    'src/errors.ts': 'export const remedy = 1;\n',
    'src/demo.ts': "export { forge } from '../rehearsal/forge.ts';\n",
    'rehearsal/forge.ts': "import { remedy } from '../src/errors.ts';\nexport const forge = remedy;\n",
    'rehearsal/forge.test.ts': "import '../src/worker.ts';\n",
    'test/support/rows.ts': 'export const rows = 1;\n',
  });
  expect(await check(folder)).toEqual({ code: 0, output: 'The law holds in 9 files.\n' });
});

describe('the law bites', () => {
  const lines = (n: number) => 'export const line = 1;\n'.replace('line', 'first') + '//\n'.repeat(n - 1);
  const files: Record<string, string> = {
    'src/vocabulary.ts': "export type { Row } from './database/tables.ts';\n",
    'src/database/tables.ts': 'export interface Row {\n  id: string;\n}\n',
    'src/inbox.ts': "import { one } from './mailbox/one.ts';\nexport const inbox = one;\n",
    'src/mailbox/one.ts': "import type { Two } from './two.ts';\nexport const one: Two = 1;\n",
    'src/mailbox/two.ts':
      "import { one } from './one.ts';\nexport type Two = number;\nexport const two = one;\n",
    'src/forges/index.ts': 'export const forge = 1;\n',
    'src/flows/utils/text.ts': 'export const text = 1;\n',
    'src/sessions.ts': "import { query } from '@anthropic-ai/claude-agent-sdk';\nexport const run = query;\n",
    'src/config/options.ts': 'export const home = process.env.HOME;\n',
    'src/config/load.ts': 'const { env } = process;\nexport const home = env.HOME;\n',
    'src/container/process.ts':
      "import { rows } from '../../test/support/rows.ts';\nexport const all = rows;\n",
    'src/outcome.ts': lines(LONGEST_FILE + 1),
    'src/workdir.ts': lines(LONGEST_FILE),
    'src/attic.ts': 'export const attic = 1;\n',
    'src/worker.ts': "import { gone } from './worker/gone.ts';\nexport const worker = gone;\n",
    'src/webhook.ts': "export type Hidden = import('./inbox.ts').Hidden;\n",
    'src/gateway.ts': "export { model } from '../rehearsal/model.ts';\n",
    'rehearsal/model.ts': 'export const model = process.env.MODEL;\n',
    'rehearsal/forge.ts': "import type { Row } from '../src/database/tables.ts';\nexport type Forge = Row;\n",
    'rehearsal/script.ts': "import { parse } from '../test/support/rows.ts';\nexport const script = parse;\n",
    'test/support/rows.ts': 'export const rows = 1;\n',
  };
  let found: { code: number; output: string };

  beforeAll(async () => {
    found = await check(await tree(files));
  });

  test.each([
    ['a word that imports a room', 'vocabulary-imports: src/vocabulary.ts → src/database/tables.ts'],
    ['a room that imports one it may not', 'inbox-imports: src/inbox.ts → src/mailbox/one.ts'],
    [
      'a cycle, also one half of types',
      'no-cycle: src/mailbox/one.ts → src/mailbox/two.ts → src/mailbox/one.ts',
    ],
    ['a barrel', 'no-barrel: src/forges/index.ts'],
    ['a dump', 'no-dump: src/flows/utils/text.ts'],
    ['the Agent SDK outside its file', 'only-here:@anthropic-ai/claude-agent-sdk: src/sessions.ts → '],
    ['reading the environment', 'environment: src/config/options.ts'],
    ['reading the environment by another name', 'environment: src/config/load.ts'],
    ['test support in the product', 'product-without-tests: src/container/process.ts → test/support/rows.ts'],
    ['a file that is too long', 'file-size: src/outcome.ts'],
    ['a file without a room', 'known-room: src/attic.ts'],
    ['an import that leads nowhere', 'resolvable: src/worker.ts → ./worker/gone.ts'],
    ['a service that needs the rehearsal', 'rehearsal-reached: src/gateway.ts → rehearsal/model.ts'],
    ['a rehearsal that knows the product', 'rehearsal-imports: rehearsal/forge.ts → src/database/tables.ts'],
    ['a rehearsal that reads the environment', 'environment: rehearsal/model.ts'],
    ['test support in the rehearsal', 'product-without-tests: rehearsal/script.ts → test/support/rows.ts'],
    ['an import the checker cannot see', 'visible-import: src/webhook.ts → ./inbox.ts'],
  ])('%s', (_, line) => {
    expect(found.output).toContain(line);
    expect(found.code).toBe(1);
  });

  test('nothing else, and every violation is explained', () => {
    expect(found.output).toContain('\n17 violation(s) of the law.');
    expect(found.output).not.toContain('src/workdir.ts');
    const entries = found.output.split('\n').filter((line) => /^\S+: /.test(line));
    const sentences = found.output.split('\n').filter((line) => /^ {2}\S.{20}/.test(line));
    expect(sentences).toHaveLength(entries.length);
  });
});

describe('the table', () => {
  test('a room imports only rooms above it', () => {
    const order = Object.keys(ROOMS);
    for (const room of order) {
      for (const other of importsOf(room)) {
        expect(order.slice(0, order.indexOf(room)), `${room} imports ${other}`).toContain(other);
      }
    }
  });

  test('docs/law.md shows it as it stands', async () => {
    const page = await readFile(join(root, 'docs/law.md'), 'utf8');
    const shown = page.split('\n').filter((line) => line.startsWith('| `'));
    const words = Object.entries(WORDS).map(([word, others]) => `| \`${word}\` | ${listed(others)} |`);
    const rooms = Object.entries(ROOMS).map(
      ([room, { owns, imports }]) =>
        `| \`${room}\` | ${owns} | ${imports === 'all-above' ? 'every room above' : listed(imports)} |`,
    );
    const beside = Object.entries(BESIDE).map(
      ([folder, { owns, imports, reachedBy }]) =>
        `| \`${folder}\` | ${owns} | ${listed(imports)} | ${listed(reachedBy)} |`,
    );
    expect(shown).toEqual([...words, ...rooms, ...beside]);
  });
});

function listed(names: readonly string[]): string {
  return names.length === 0 ? '–' : names.join(', ');
}
