/**
 * The bug this service grew out of, on the real CLI: every way a stored handle comes to answer "No conversation found
 * with session ID", or, worse, to forget without a word. `agent-runner.test.ts` shows the same causes mended.
 */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BareResult, bareCli } from '../test/support/bare-cli.ts';
import { historyText, type TestConversation } from '../test/support/conversation.ts';
import { KeptTurn } from '../test/support/kept-turn.ts';
import { SCRIPT } from '../test/support/planted.ts';
import { needs } from '../test/support/requirements.ts';
import { PROJECT_FOLDER_NAME } from './sessions/folders.ts';
import { headOf, readTranscript } from './sessions/transcript.ts';

const cli = needs('cli');
const namespace = needs('mount-namespace');

const kept = new KeptTurn(SCRIPT);
let c: TestConversation;
beforeEach(async () => {
  c = await kept.open();
  writeFileSync(join(c.cwd, 'secret.txt'), 'tool secret vault-1\n');
});
afterEach(async () => {
  await c.close();
});
afterAll(() => kept.close());

const PLANT = 'PLANT: the code word is amber-1';
const ASK = 'ASK: what do you know?';

function config(): string {
  return join(c.folder, 'bare');
}

function transcript(id: string, project = PROJECT_FOLDER_NAME): string {
  return join(config(), 'projects', project, `${id}.jsonl`);
}

function expectNotFound(result: BareResult, id: string): void {
  expect(result).toMatchObject({ initId: null, subtype: 'error_during_execution', isError: true });
  expect(result.errors.join()).toContain(`No conversation found with session ID: ${id}`);
}

describe.skipIf(!cli.ok)(cli.title('"No conversation found with session ID"'), () => {
  async function planted(): Promise<string> {
    return await kept.after(c, 'planted', async () => {
      const first = await bareCli(c, { prompt: PLANT });
      expect(first.answer).toBe('I have noted it.');
      return first.initId!;
    });
  }

  test('the control: an untouched session resumes with its history', async () => {
    const id = await planted();
    const again = await bareCli(c, { prompt: ASK, resume: id });
    expect(again).toMatchObject({ initId: id, answer: 'fact=amber-1 tool=vault-1' });
  });

  const causes: { name: string; breakIt: (id: string) => void }[] = [
    { name: 'the folder was wiped', breakIt: () => rmSync(config(), { recursive: true }) },
    { name: 'the transcript was reaped', breakIt: (id) => rmSync(transcript(id)) },
    { name: 'the transcript is empty', breakIt: (id) => truncateSync(transcript(id), 0) },
    {
      name: 'the transcript is cut before its first turn',
      breakIt: (id) => truncateSync(transcript(id), 200),
    },
    {
      name: 'the transcript is garbage',
      breakIt: (id) => writeFileSync(transcript(id), Buffer.alloc(5000, 0xfe)),
    },
    {
      name: 'the folder of all projects is gone',
      breakIt: () => renameSync(join(config(), 'projects'), join(config(), 'projects.bak')),
    },
  ];
  for (const { name, breakIt } of causes) {
    test(name, async () => {
      const id = await planted();
      breakIt(id);
      expectNotFound(await bareCli(c, { prompt: ASK, resume: id }), id);
    });
  }

  test('another home', async () => {
    const id = await planted();
    const other = join(c.folder, 'other-home');
    expectNotFound(await bareCli(c, { prompt: ASK, resume: id, config: other }), id);
  });

  test('the id in another case: not found either', async () => {
    const id = await planted();
    const result = await bareCli(c, { prompt: ASK, resume: id.toUpperCase() });
    expect(result.initId).toBeNull();
    expect(result.isError).toBe(true);
  });

  test('a failed resume names an id, too: the asked one, which a naive service stores again for ever', async () => {
    const id = await planted();
    rmSync(transcript(id));
    const failed = await bareCli(c, { prompt: ASK, resume: id });
    expect(failed.lastId).toBe(id);
    expectNotFound(await bareCli(c, { prompt: ASK, resume: failed.lastId! }), id);
  });

  test('a transient id: a start that fails names a random new id, although a good one was resumed', async () => {
    const id = await planted();
    const file = join(config(), '.claude.json');
    const good = readFileSync(file);
    writeFileSync(file, '{"broken');
    const failed = await bareCli(c, { prompt: ASK, resume: id });
    expect(failed.initId).toBeNull();
    expect(failed.lastId).not.toBe(id);
    writeFileSync(file, good);
    expectNotFound(await bareCli(c, { prompt: ASK, resume: failed.lastId! }), failed.lastId!);
    expect((await bareCli(c, { prompt: ASK, resume: id })).answer).toContain('amber-1');
  });

  test('killed before the first reply: the id was named, but no answer stands behind it', async () => {
    const running = bareCli(c, { prompt: 'HOLD: the code word is amber-1', wrap: recordingPid() });
    await c.model.reached('before');
    process.kill(readPid(), 'SIGKILL');
    const first = await running;
    c.model.release('before');
    expect(first.initId).not.toBeNull();
    expect(headOf(readTranscript(readFileSync(transcript(first.initId!))))).toBeNull();
  });

  test('killed in mid-tool: resumable, but the CLI closes the call with an answer nobody gave', async () => {
    const running = bareCli(c, { prompt: 'LONG work', wrap: recordingPid() });
    await until(() => readdirSync(c.cwd).includes('side-effects.txt'));
    const id = readdirSync(join(config(), 'projects', PROJECT_FOLDER_NAME))[0]!.replace('.jsonl', '');
    process.kill(readPid(), 'SIGKILL');
    await running;
    await bareCli(c, { prompt: ASK, resume: id });
    expect(historyText(c.model.requests.at(-1)!)).toMatch(/interrupted|No response requested/);
  });

  test('an empty id starts over without a word: ours is never empty', async () => {
    await planted();
    const result = await bareCli(c, { prompt: ASK, resume: '' });
    expect(result).toMatchObject({ subtype: 'success', answer: 'fact= tool=' });
  });

  test('another folder as cwd is no cause any more: the session is found', async () => {
    const id = await planted();
    const elsewhere = join(c.folder, 'elsewhere');
    mkdirSync(elsewhere);
    const result = await bareCli(c, { prompt: ASK, resume: id, cwd: elsewhere });
    expect(result).toMatchObject({ initId: id, answer: 'fact=amber-1 tool=vault-1' });
  });

  test('the same id in two project folders: a third cwd finds neither', async () => {
    const id = await planted();
    const projects = join(config(), 'projects');
    mkdirSync(join(projects, '-a'));
    renameSync(transcript(id), transcript(id, '-a'));
    mkdirSync(join(projects, '-b'));
    writeFileSync(transcript(id, '-b'), readFileSync(transcript(id, '-a')));
    const result = await bareCli(c, {
      prompt: ASK,
      resume: id,
      env: { CLAUDE_CODE_PROJECT_DIR_NAME: 'third' },
    });
    expectNotFound(result, id);
  });
});

describe.skipIf(!cli.ok || !namespace.ok)(namespace.title('the seed: a folder mounted read-only'), () => {
  test('the run succeeds, names an id, writes nothing and says nothing; the resume finds nothing', async () => {
    mkdirSync(config());
    const wrap = (command: string, args: string[]): [string, string[]] => [
      'unshare',
      [
        '-m',
        'sh',
        '-c',
        'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"',
        config(),
        command,
        ...args,
      ],
    ];
    const first = await bareCli(c, { prompt: PLANT, wrap });
    expect(first).toMatchObject({ subtype: 'success', isError: false, answer: 'I have noted it.' });
    expect(readdirSync(config())).toEqual([]);
    expectNotFound(await bareCli(c, { prompt: ASK, resume: first.lastId!, wrap }), first.lastId!);
  });
});

function recordingPid(): (command: string, args: string[]) => [string, string[]] {
  const file = join(c.folder, 'pid');
  return (command, args) => ['sh', ['-c', 'echo $$ > "$0"; exec "$@"', file, command, ...args]];
}

function readPid(): number {
  return Number(readFileSync(join(c.folder, 'pid'), 'utf8'));
}

async function until(condition: () => boolean): Promise<void> {
  await expect.poll(condition).toBe(true);
}
