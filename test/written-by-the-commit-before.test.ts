/** What commit abd1718 left behind goes on: before it, items had no kind in their key, and events no rows of their own. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CODE_WORD, FOLDER, SCRIPT } from './fixtures/written-by-the-commit-before/told.ts';
import { call } from './support/cli.ts';
import { needs } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { OWNER, REPOSITORY } from './support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc');
const WRITTEN = join(import.meta.dirname, 'fixtures/written-by-the-commit-before/written.tar.gz');
const LOCK = `${FOLDER}.lock`;

/** Another run of this suite on the machine uses the same path. The link names the process, in one step. */
async function lockFolder(): Promise<void> {
  for (;;) {
    try {
      symlinkSync(String(process.pid), LOCK);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (existsSync(`/proc/${readlinkSync(LOCK)}`)) await sleep(200);
    else rmSync(LOCK, { force: true });
  }
}

interface Written {
  session: string;
  conversation: string;
  /** our id of what was told of first, and the forge's of what was refused */
  assigned: string;
  refused: string;
}

/** With its own tables, before a service of this release has opened it. */
function readWritten(): Written {
  const db = new DatabaseSync(join(FOLDER, 'state/claude-hooks.db'), { readOnly: true });
  const one = (query: string) => String(Object.values(db.prepare(query).get()!)[0]);
  try {
    expect(() => one('select kind from conversation_items')).toThrow('no such column: kind');
    return {
      session: one('select id from sessions'),
      conversation: one('select id from conversations'),
      assigned: one("select id from deliveries where event_name = 'issue.assigned'"),
      refused: one("select forge_delivery_id from deliveries where reason like 'eve has read permission%'"),
    };
  } finally {
    db.close();
  }
}

let stage: Stage | null = null;
beforeEach(async () => {
  await lockFolder();
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER);
  execFileSync('tar', ['-xzf', WRITTEN, '-C', FOLDER]);
});
afterEach(async () => {
  await stage?.close();
  stage = null;
  rmSync(FOLDER, { recursive: true, force: true });
  rmSync(LOCK, { force: true });
});

describe.skipIf(!here.ok)(here.title('a state folder of the release before'), () => {
  test('goes on: the same session with its whole history, and what was decided then is still explained', async () => {
    const written = readWritten();
    const opened = await Stage.open({ model: SCRIPT, folder: FOLDER });
    stage = opened;
    await opened.start();
    // On the pull request: what joined the conversation then belongs to it now.
    await opened.forge.as(OWNER).comment(REPOSITORY, 2, 'And which code word did I name?');
    await opened.settled();

    const last = (await opened.dispatches()).at(-1)!;
    expect(last).toMatchObject({
      state: 'succeeded',
      conversation_id: written.conversation,
      continuity: 'resumed',
      session_id: written.session,
    });
    expect(await opened.sessions()).toHaveLength(1);
    expect(await opened.rows.selectFrom('conversations').select('id').execute()).toHaveLength(1);
    const history = JSON.stringify(opened.turns.at(-1)!.messages);
    const told = [
      `The code word is ${CODE_WORD}.`,
      'echo done > done.txt',
      'It greets again.',
      'And what does it do now?',
      'It says hello.',
      'And which code word did I name?',
    ];
    const places = told.map((text) => history.indexOf(text));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));

    const explain = async (what: string) => {
      const { code, out, err } = await call(['explain', what, '-c', opened.configFile], { env: opened.env });
      expect({ code, err }).toEqual({ code: 0, err: '' });
      return out;
    };
    expect(await explain(written.refused)).toContain('eve has read permission in ada/greeter');
    const assigned = await explain(written.assigned);
    expect(assigned).toContain('dev-assigned');
    expect(assigned).toContain(written.conversation);
    const item = await explain(`${REPOSITORY}#1`);
    expect(item).toContain(written.assigned.slice(0, 'ffffffff-ffff'.length));
    expect(item).toContain(`dispatch ${last.id}: succeeded`);
  });
});
