/** Every command and sub-command, called rightly and wrongly. A command that has no row here fails the first test. */
import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ASSIGNED, changed } from '../../test/fixtures/bodies.ts';
import { type Called, call } from '../../test/support/cli.ts';
import { COMPILED } from '../../test/support/compiled.ts';
import { ConfigFolder, SMALL_CONFIG } from '../../test/support/config-folder.ts';
import { sampleConversation } from '../../test/support/sample-session.ts';
import { everybodyMayWrite } from '../../test/support/trust.ts';
import { type Database, migrate, openDatabase } from '../database/database.ts';
import { acceptDelivery } from '../inbox.ts';
import { silentLog } from '../log.ts';
import { leaseConversation } from '../mailbox/leases.ts';
import { settleDispatch } from '../mailbox/settlement.ts';
import { routeNext } from '../router.ts';
import { proposeSession } from '../sessions.ts';
import { buildProgram } from './program.ts';

const ITEM = 'home:team/shop#5';
const PREFIX = 'abcdef12';
const SHA = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

interface Row {
  /** a call that is answered here; null where it needs more than rows (its own tests answer it) */
  right: string[] | null;
  /** the arguments that a call without `right` needs */
  least?: string[];
  /** its exit code, where that is part of the answer */
  code?: number;
  /** arguments that are wrong, and what the refusal says */
  wrong?: [args: string[], says: string][];
  /** arguments before a reference to a thing that is not there, and how it ends */
  refers?: string[];
  unknownCode?: number;
  /** the call without the reference reads no configuration */
  needsNothing?: true;
  /** reads or writes rows: without a database it cannot answer */
  needsRows?: true;
}

/** Their reference may be left out. */
const TAKES_NONE = ['conversations', 'audit', 'timers list'];

const LIMIT = (before: string[] = []): [string[], string][] =>
  ['x', '0', '-3', '1.5', ''].map((value) => [
    [...before, '--limit', value],
    'Give a whole number from 1 to 10000.',
  ]);
const PORT: [string[], string][] = ['x', '-1', '65536'].map((value) => [
  ['--port', value],
  'Give a whole number from 0 to 65535',
]);
const EMPTY = (option: string): [string[], string] => [[option, ''], 'Give a text that is not empty.'];

const TABLE: Record<string, Row> = {
  serve: {
    right: null,
    wrong: [
      [
        ['--only', 'web,rooter'],
        'There is no part rooter. Name one or more of web, router, worker, with commas between.',
      ],
      [['--only', 'web,'], 'A part has no name. Name one or more of web, router, worker'],
      [['--only', ''], 'A part has no name. Name one or more of web, router, worker'],
    ],
  },
  demo: {
    right: null,
    needsNothing: true,
    wrong: [[['--engine', 'lxc'], 'Allowed choices are auto, docker'], EMPTY('--model'), EMPTY('--image')],
  },
  init: {
    right: ['--remove', '--dry-run'],
    needsNothing: true,
    wrong: [
      [['--hook', 'team'], 'Allowed choices are repository, owner, system, none'],
      [['--hook', 'none', '--repositories', 'a/b'], '--url is missing.'],
      [['--url', 'forge', '--hook', 'none', '--repositories', 'a/b'], '--url forge is no address.'],
      [['--url', 'https://f', '--hook', 'none', '--repositories', 'shop'], 'give owner/name or owner/*.'],
      [
        ['--url', 'https://f', '--hook', 'none', '--repositories', 'a/b', '--agents', 'x='],
        'give <agent>=<value>.',
      ],
      [
        ['--url', 'https://f', '--hook', 'none', '--repositories', 'a/b'],
        'There is no token of an administrator.',
      ],
      EMPTY('--name'),
    ],
  },
  migrate: { right: [], needsRows: true },
  replay: {
    right: [PREFIX],
    refers: [],
    needsRows: true,
    wrong: [[['x', '--forge', ''], 'Give a text that is not empty.']],
  },
  'config check': { right: [] },
  explain: { right: [ITEM], refers: [], needsRows: true, wrong: LIMIT(['x']) },
  deliveries: {
    right: ['--repository', 'team/shop', '--state', 'routed', '--since', '2026-01-01'],
    needsRows: true,
    wrong: [
      ...LIMIT(),
      [['--state', 'lost'], 'Allowed choices are received, routed'],
      [['--since', '2026-02-31'], 'Give how long ago'],
      [['--since', '2999-01-01'], 'in the future'],
      [['--repository', 'shop'], 'Give a repository as owner/name'],
    ],
  },
  conversations: { right: [ITEM], refers: [], needsRows: true, wrong: LIMIT() },
  stuck: { right: [], needsRows: true },
  audit: { right: [ITEM], refers: [], needsRows: true, wrong: LIMIT() },
  hold: {
    right: ['team/shop', '--because', 'looking', '--until', '2h'],
    refers: ['--because', 'looking'],
    needsRows: true,
    wrong: [
      [['x', '--because', ' '], 'Give a text that is not empty.'],
      [['x', '--because', 'y', '--until', '2020-01-01'], 'That has passed.'],
      [['x', '--because', 'y', '--until', 'soon'], 'Give in how long'],
      [['all'], "Required option '--because <text>' not specified"],
    ],
  },
  resume: { right: ['all'], refers: [], needsRows: true, wrong: [EMPTY('--by')] },
  holds: { right: [], needsRows: true },
  costs: {
    right: ['--by', 'day', '--since', '2026-01-01'],
    needsRows: true,
    wrong: [...LIMIT(), [['--by', 'week'], 'Allowed choices are conversation, repository']],
  },
  'budget raise': {
    right: ['day', '$5'],
    refers: ['$5'],
    needsRows: true,
    wrong: [
      [['day', '5'], 'Give dollars as $5 or 5usd, or tokens as 200000tokens.'],
      [['day', '$0'], 'Give dollars as $5'],
      [['day', '$5', '--until', '2020-01-01'], 'That has passed.'],
      [['all', '$5'], 'all has no budget of its own.'],
    ],
  },
  'sessions unmark': {
    right: [ITEM, '--by', 'ada', '--because', 'read'],
    refers: ['--by', 'ada', '--because', 'read'],
    needsRows: true,
    wrong: [
      [['x', '--by', ' ', '--because', 'read'], 'Give a text that is not empty.'],
      [['x', '--by', 'ada'], "Required option '--because <text>' not specified"],
    ],
  },
  'sessions diagnose': {
    right: [ITEM],
    code: 0,
    refers: [],
    unknownCode: 2,
    needsRows: true,
    wrong: [[['x', '--other-home', ''], 'Give a text that is not empty.']],
  },
  'packages list': { right: [], needsRows: true },
  'packages approve': {
    right: ['team/shop', SHA, '--by', 'ada', '--because', 'read'],
    needsRows: true,
    wrong: [
      [['shop', SHA, '--by', 'ada', '--because', 'read'], 'Give a repository as owner/name'],
      [['team/shop', 'main', '--by', 'ada', '--because', 'read'], 'Give the whole name of a commit'],
      [['team/shop', SHA, '--by', 'ada'], "Required option '--because <text>' not specified"],
    ],
  },
  'packages withdraw': {
    right: null,
    needsNothing: true,
    wrong: [[['x'], "Required option '--by <name>' not specified"]],
  },
  inbox: {
    right: [],
    needsRows: true,
    wrong: [
      ...LIMIT(),
      EMPTY('--close'),
      [['--close', 'abcdef99'], 'Nothing that waits for a person has the id'],
    ],
  },
  ...Object.fromEntries(
    ['cancel', 'retry', 'fresh'].map((verb): [string, Row] => [
      verb,
      {
        // Of an item it would take away what other rows ask for.
        right: ['--repository', 'team/none'],
        refers: [],
        needsRows: true,
        wrong: [
          [[], 'Name one of these: a conversation, --repository, or --all'],
          [[ITEM, '--all'], 'Name one of these: a conversation, --repository, or --all'],
          [['--repository', 'shop'], 'Give a repository as owner/name'],
        ],
      },
    ]),
  ),
  'answers post': { right: [ITEM], refers: [], needsRows: true },
  // After the answer: what was said makes the conversation wait for a run.
  attach: {
    right: null,
    least: ['x'],
    wrong: [
      [['x'], 'There is no terminal here. Run it in one; over ssh, with `ssh -t`.'],
      [['x', '--by', ''], 'Give a text that is not empty.'],
    ],
  },
  say: {
    right: [ITEM, 'Use the new parser.'],
    refers: ['Use the new parser.'],
    needsRows: true,
    wrong: [
      [['x', ' '], 'Give a text that is not empty.'],
      [['x', 'hello', '--by', ''], 'Give a text that is not empty.'],
    ],
  },
  'timers list': { right: [ITEM], refers: [], needsRows: true },
  'timers cancel': {
    right: [ITEM],
    refers: [],
    needsRows: true,
    wrong: [EMPTY('--by')].map(([args, says]) => [['x', ...args], says]),
  },
  'layers list': { right: [], needsRows: true, wrong: LIMIT() },
  'layers remove': {
    right: null,
    needsNothing: true,
    wrong: [[['abcdef99'], 'No layer is named by abcdef99.']],
  },
  'layers retry': {
    right: null,
    needsNothing: true,
    wrong: [[['abcdef99'], 'No layer is named by abcdef99.']],
  },
  smoke: { right: null },
  doctor: { right: null },
  'rehearsal model': { right: null, needsNothing: true, wrong: [...PORT, EMPTY('--script')] },
  'rehearsal forge': { right: null, needsNothing: true, wrong: [...PORT, EMPTY('--folder')] },
};

const rows = Object.entries(TABLE).map(([name, row]) => ({ name, words: name.split(' '), ...row }));

let folder: ConfigFolder;
let database: Database;
beforeAll(async () => {
  folder = new ConfigFolder();
  database = openDatabase({ url: folder.load().database.url });
  await migrate(database);
  await fill(database);
});
afterAll(async () => {
  await database.close();
  folder[Symbol.dispose]();
});

/** One item with an answer that the forge refused, on a session; a second conversation to be mistaken for it. */
async function fill(into: Database): Promise<void> {
  const now = Date.now() - 60_000;
  const repository = { 'repository.full_name': 'team/shop' };
  const bot = [{ id: 20, login: 'dev-bot' }];
  await acceptDelivery(into.rows, {
    id: `${PREFIX}-0000-4000-8000-000000000001`,
    forge: 'home',
    forgeDeliveryId: 'from-the-forge-1',
    source: 'webhook',
    headers: {
      'x-forgejo-event': 'issues',
      'x-forgejo-event-type': 'issue_assign',
      'x-forgejo-delivery': 'from-the-forge-1',
    },
    body: Buffer.from(JSON.stringify(changed(ASSIGNED, { ...repository, 'issue.assignees': bot }))),
    now,
  });
  const config = folder.load();
  await routeNext({
    database: into,
    config: () => config,
    trust: everybodyMayWrite(),
    now: () => now,
    log: silentLog,
  });
  const agentLimits = new Map([['dev', 1]]);
  const held = (await leaseConversation(into, {
    worker: 'w',
    now: now + 30_000,
    leaseMs: 60_000,
    agentLimits,
  }))!;
  await proposeSession(into.rows, {
    conversationId: held.conversation.id,
    configFolder: join(folder.path, 'cli'),
    follows: null,
    synthesised: false,
    reason: '',
    now,
  });
  await settleDispatch(into, held, {
    settlement: { state: 'unposted', reason: 'the forge refused the answer: 403' },
    now: now + 40_000,
  });
  await sampleConversation(into, { number: 12 });
  await sampleConversation(into, { number: 12, agent: 'reviewer' });
}

const config = () => ['-c', folder.file];
const env = () => ({ env: folder.env });

/** One line with the remedy and nothing on standard output; with --json the same as one object. */
async function expectRefusal(args: readonly string[], says: string | RegExp, code = 1): Promise<void> {
  const words = await call(args, env());
  expect(words, args.join(' ')).toMatchObject({ code, out: '' });
  expect(words.err).toMatch(/^[^\n]*[.)]\n$/);
  expect(words.err).toMatch(says);
  const json = await call([...args, '--json'], env());
  expect(json).toMatchObject({ code, out: '' });
  expect(JSON.parse(json.err).error.message).toMatch(says);
}

function escaped(text: string): RegExp {
  return new RegExp(RegExp.escape(text));
}

function expectPlain({ out, err }: Called): void {
  expect(stripVTControlCharacters(out)).toBe(out);
  expect(stripVTControlCharacters(err)).toBe(err);
}

describe('an ambiguous reference', () => {
  test.each([
    ['sessions diagnose', []],
    ['sessions unmark', ['--by', 'ada', '--because', 'read']],
  ])('%s names both, and how to be precise', async (name, rest) => {
    const args = [...name.split(' '), 'team/shop#12', ...rest, ...config()];
    await expectRefusal(
      args,
      /^team\/shop#12 names 2 conversations: .*\(dev on home:team\/shop#12\).*by its id/,
    );
    const { error } = JSON.parse((await call([...args, '--json'], env())).err);
    expect(error).toMatchObject({
      kind: 'ambiguous',
      candidates: [{}, { is: 'reviewer on home:team/shop#12' }],
    });
    const precise = [...name.split(' '), error.candidates[0].id.slice(0, 13), ...rest, ...config()];
    expect((await call(precise, env())).err).not.toContain('names 2');
  });

  test('conversations shows both, and how to see one alone', async () => {
    const { out, code } = await call(['conversations', 'team/shop#12', ...config()], env());
    expect(code).toBe(0);
    expect(out).toMatch(
      /^2 conversations of this item; to see one alone, name it by its id:\n {2}[0-9a-f-]{36} {2}dev/,
    );
  });
});

test('colours on a terminal: the same words, and only there', async () => {
  for (const args of [['deliveries'], ['conversations'], ['explain', PREFIX], ['conversations', '--help']]) {
    const plain = await call([...args, ...config()], env());
    const coloured = await call([...args, ...config()], { ...env(), colour: true });
    expect(coloured.out).not.toBe(plain.out);
    expect(stripVTControlCharacters(coloured.out)).toBe(plain.out);
    const json = await call([...args, '--json', ...config()], { ...env(), colour: true });
    if (!args.includes('--help')) expect(() => JSON.parse(json.out)).not.toThrow();
  }
});

describe('a process of its own', () => {
  const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));
  const spawn = (args: string[], more: { env?: Record<string, string>; uid?: number; gid?: number } = {}) =>
    new Promise<Called>((resolve) => {
      const { env: changed, ...as } = more;
      const options = { env: { PATH: process.env.PATH, ...COMPILED, ...folder.env, ...changed }, ...as };
      execFile(process.execPath, [CLI, ...args], options, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });

  test('an answer, an error as JSON and the exit codes; no colour in a pipe, unless it is asked for', async () => {
    const [list, forced, both, wrong] = await Promise.all([
      spawn(['deliveries', ...config()]),
      spawn(['deliveries', ...config()], { env: { FORCE_COLOR: '1' } }),
      spawn(['deliveries', ...config()], { env: { FORCE_COLOR: '1', NO_COLOR: '1' } }),
      spawn(['deliveries', '--limit', '0', '--json', ...config()]),
    ]);
    expect(list).toMatchObject({ code: 0, err: '' });
    expect(list.out).toContain(PREFIX);
    expectPlain(list);
    expect(stripVTControlCharacters(forced.out)).not.toBe(forced.out);
    expectPlain(both);
    expect(wrong).toMatchObject({ code: 1, out: '' });
    expect(JSON.parse(wrong.err).error.kind).toBe('usage');
  });

  test.runIf(process.getuid?.() === 0)('another user is told in a sentence', async () => {
    // The folders above are of the test; the state folder is private of itself.
    chmodSync(folder.path, 0o755);
    const other = await spawn(['conversations', '--json', ...config()], { uid: 65_534, gid: 65_534 });
    expect(other).toMatchObject({ code: 1, out: '' });
    expect(JSON.parse(other.err).error).toMatchObject({
      kind: 'refused-file',
      message: expect.stringMatching(/which belongs to uid 0\. Run this as that user/),
    });
  });
});

test('the table has every command', () => {
  const names = (command: Command, path: string[]): string[] =>
    command.commands.flatMap((sub) => {
      const name = [...path, sub.name()];
      return sub.commands.length === 0 ? [name.join(' ')] : names(sub, name);
    });
  const nobody = { env: {}, write: () => {}, complain: () => {}, colour: false, exitCode: 0 };
  expect(names(buildProgram(nobody), []).toSorted()).toEqual(Object.keys(TABLE).toSorted());
});

describe.each(rows)('$name', (row) => {
  const hasJson = row.name !== 'serve' && !row.name.startsWith('rehearsal');

  test('--help shows -c and an example, as the answer', async () => {
    const help = await call([...row.words, '--help']);
    expect(help).toMatchObject({ code: 0, err: '' });
    expect(help.out).toMatch(/^Usage: claude-hooks /);
    expect(help.out).toContain('-c, --config <file>');
    expect(help.out).toContain(`Examples:\n  claude-hooks ${row.name}`);
    expect(help.out.includes('--json')).toBe(hasJson);
    expectPlain(help);
    expect(await call(['help', ...row.words])).toMatchObject(row.words.length === 1 ? help : { code: 0 });
  });

  test('what it does not know is refused, with the way to its help', async () => {
    const remedy = escaped(`\`claude-hooks ${row.name} --help\` shows what it takes.`);
    await expectRefusal([...row.words, '--colour'], remedy);
    await expectRefusal([...row.words, 'one', 'two', 'three'], remedy);
    if (row.refers !== undefined && !TAKES_NONE.includes(row.name)) {
      await expectRefusal(row.words, remedy);
    }
  });

  for (const [args, says] of row.wrong ?? []) {
    test(`${args.join(' ')} is refused in words`, async () => {
      await expectRefusal([...row.words, ...args, ...config()], escaped(says));
    });
  }

  if (row.needsNothing === undefined && row.name !== 'smoke') {
    test('without a configuration it says which file, and what to do', async () => {
      const missing = join(folder.path, 'not-there.yaml');
      const args = [...row.words, ...(row.right ?? row.least ?? []), '-c', missing];
      const said = new RegExp(
        `${RegExp.escape(missing)}: cannot be read.*name another file with --config\\.`,
      );
      if (hasJson) await expectRefusal(args, said);
      else
        expect(await call(args, env())).toMatchObject({ code: 1, out: '', err: expect.stringMatching(said) });
    });
  }

  if (row.needsRows) {
    test('without a database it says so, whichever kind it is', async () => {
      using other = new ConfigFolder();
      const args = [...row.words, ...row.right!, '-c', other.file];
      if (row.name !== 'migrate') await expectRefusal(args, /^There is no database at .*Start it with/);
      other.write({
        'claude-hooks.yaml': `${SMALL_CONFIG}database: { url: "postgres://u:p@127.0.0.1:1/x" }\n`,
      });
      await expectRefusal(args, /127\.0\.0\.1:1.*database\.url/);
    });
  }

  if (row.refers !== undefined) {
    const refers = row.refers;
    test('a reference to nothing is refused, with the forms it may have', async () => {
      const of = (reference: string) => [...row.words, reference, ...refers, ...config()];
      for (const reference of [
        'team/shop#99',
        '0123456789',
        'no',
        'https://forge.example.org/team/shop/issues/99',
      ]) {
        if (row.unknownCode === undefined) {
          await expectRefusal(of(reference), /owner\/name#12|not a file|lists/);
          continue;
        }
        const words = await call(of(reference), env());
        expect(words).toMatchObject({ code: row.unknownCode, err: '' });
        const json = await call([...of(reference), '--json'], env());
        expect(JSON.parse(json.out)).toMatchObject({
          verdict: 'unknown',
          remedy: expect.stringContaining('owner/name#12'),
        });
      }
      if (row.name === 'replay') return;
      await expectRefusal(
        of('elsewhere:team/shop#5'),
        /No forge is called elsewhere\. The configuration has home\./,
      );
      await expectRefusal(of('https://forge.example.org/team/shop'), /Copy it from the page of one/);
    });
  }

  if (row.right !== null) {
    const right = row.right;
    test('answers in words and as JSON, on standard output alone, without colours in a pipe', async () => {
      // Some change what they are asked about, so that they answer once.
      const isOnce = ['answers post', 'replay'].includes(row.name);
      const args = [...row.words, ...right, ...config()];
      const json = await call([...args, '--json'], env());
      expect(json, json.err).toMatchObject({ code: row.code ?? 0, err: '' });
      expect(() => JSON.parse(json.out)).not.toThrow();
      const words = await call(args, env());
      if (!isOnce) expect(words).toMatchObject({ code: row.code ?? 0, err: '' });
      expectPlain(words);
      if (!isOnce) expect(words.out.length).toBeGreaterThan(10);
    });
  }
});
