/**
 * The regression test of the seed: a session whose handle is lost, in every way the process engine can produce, on the
 * real CLI through the real SDK. What counts is the history that reaches the model.
 */
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FLOCK, type TestConversation } from '../test/support/conversation.ts';
import { readOnlyView } from '../test/support/engines.ts';
import { KeptTurn } from '../test/support/kept-turn.ts';
import {
  expectRebuiltHistory,
  expectWholeHistory,
  type Planted,
  plant as plantNow,
  SCRIPT,
} from '../test/support/planted.ts';
import { killInside } from '../test/support/processes.ts';
import { needs } from '../test/support/requirements.ts';
import { processEngine } from './container/process.ts';
import { armFault } from './faults.ts';
import { PROJECT_FOLDER_NAME } from './sessions/folders.ts';

const cli = needs('cli');
const flock = needs('flock');
const namespace = needs('mount-namespace');

const kept = new KeptTurn(SCRIPT);
let c: TestConversation;
beforeEach(async () => {
  c = await kept.open();
});
afterEach(async () => {
  await c.close();
});
afterAll(() => kept.close());

/** The usual first turn, of which only the archive differs, is run once; in an engine of its own it is run anew. */
async function plant(c: TestConversation, turn: Parameters<typeof plantNow>[1] = {}) {
  const run = () => plantNow(c, turn);
  const { archive = true, ...other } = turn;
  if (Object.keys(other).length > 0) return await run();
  return await kept.after(c, archive ? 'archived' : 'unarchived', run);
}

/** A way to lose the transcript, and what it means with and without the archive. */
interface Loss {
  name: string;
  breakIt: (c: TestConversation) => Promise<void>;
  reason: string;
}

const LOSSES: Loss[] = [
  {
    name: 'the CLI folder is wiped',
    breakIt: async (c) => rmSync(c.folders().config, { recursive: true }),
    reason: 'disk-missing',
  },
  {
    name: 'the transcript was reaped',
    breakIt: async (c) => rmSync(c.transcript(await c.session())),
    reason: 'disk-missing',
  },
  {
    name: 'the transcript is empty',
    breakIt: async (c) => truncateSync(c.transcript(await c.session()), 0),
    reason: 'disk-empty',
  },
  {
    name: 'the transcript is cut in the middle',
    breakIt: async (c) => {
      const file = c.transcript(await c.session());
      truncateSync(file, Math.floor(readFileSync(file).indexOf('"role":"assistant"')));
    },
    reason: 'disk-head-missing',
  },
  {
    name: 'the transcript is garbage',
    breakIt: async (c) => {
      const file = c.transcript(await c.session());
      writeFileSync(file, Buffer.alloc(readFileSync(file).length, 0xfe));
    },
    reason: 'disk-garbage',
  },
  {
    name: 'the transcript is all zeros, as after a power cut',
    breakIt: async (c) => {
      const file = c.transcript(await c.session());
      writeFileSync(file, Buffer.alloc(readFileSync(file).length));
    },
    reason: 'disk-garbage',
  },
  {
    name: 'an older copy was put back',
    breakIt: async (c) => {
      const file = c.transcript(await c.session());
      const lines = readFileSync(file, 'utf8').split('\n');
      writeFileSync(file, `${lines.slice(0, Math.floor(lines.length / 2)).join('\n')}\n`);
    },
    reason: 'disk-head-missing',
  },
];

/** From there on a rebuild reads the record, and nothing of what is left: all with FAULTS=all. */
function isFirstOfItsReason({ reason }: Loss, index: number): boolean {
  return process.env.FAULTS === 'all' || LOSSES.findIndex((loss) => loss.reason === reason) === index;
}

async function ask(options?: Parameters<TestConversation['turn']>[1]) {
  return await c.turn('ASK: what do you know?', options);
}

describe.skipIf(!cli.ok)(cli.title('a session whose transcript is lost'), () => {
  for (const loss of LOSSES) {
    test(`${loss.name}: restored from the archive, byte for byte`, async () => {
      const planted = await plant(c);
      const before = c.transcriptText(await c.session());
      await loss.breakIt(c);
      const turn = await ask();
      expectWholeHistory(turn, planted);
      expect(turn.outcome).toMatchObject({ continuity: 'restored', reason: loss.reason });
      expect(turn.outcome).toMatchObject({
        sessionId: (planted.first.outcome as { sessionId: string }).sessionId,
      });
      expect(c.transcriptText(await c.session()).startsWith(before)).toBe(true);
      expect((await c.incidents()).map((i) => [i.rung, i.reason])).toEqual([['restored', loss.reason]]);
    });
  }

  for (const loss of LOSSES.filter(isFirstOfItsReason)) {
    test(`${loss.name}, without the archive: rebuilt from the record, with the reason`, async () => {
      const planted = await plant(c, { archive: false });
      await loss.breakIt(c);
      const turn = await ask({ archive: false });
      expectRebuiltHistory(turn, planted);
      expect((await c.incidents()).map((i) => [i.rung, i.reason])).toEqual([['rebuilt', loss.reason]]);
      const chain = await c.sessions();
      expect(chain.map((s) => s.state)).toEqual(['abandoned', 'verified']);
      expect(chain[0]!.replaced_by).toBe(chain[1]!.id);
    });
  }

  test('a rebuilt session is resumed by the turn after it', async () => {
    const planted = await plant(c, { archive: false });
    await LOSSES[0]!.breakIt(c);
    await ask({ archive: false });
    const again = await ask({ archive: false });
    expect(again.outcome).toMatchObject({ continuity: 'resumed', sessionId: (await c.session()).id });
    expect(again.history).toContain(planted.fact);
    expect(await c.sessions()).toHaveLength(2);
  });

  test('the project folder bears another name, as when the cwd decided: fetched from there', async () => {
    const planted = await plant(c, { archive: false });
    const projects = join(c.folders().config, 'projects');
    renameSync(join(projects, PROJECT_FOLDER_NAME), join(projects, '-srv-other-place'));
    const turn = await ask({ archive: false });
    expectWholeHistory(turn, planted);
    expect(turn.outcome).toMatchObject({ continuity: 'restored', reason: 'other-project-folder' });
  });

  test('the CLI gets another home: fetched from the old one', async () => {
    const planted = await plant(c, { archive: false });
    const turn = await ask({ archive: false, state: join(c.folder, 'moved-state') });
    expectWholeHistory(turn, planted);
    expect(turn.outcome).toMatchObject({ continuity: 'restored', reason: 'other-home' });
  });

  test('the CLI gets another home and the old one is gone: restored from the archive', async () => {
    const planted = await plant(c);
    rmSync(c.state, { recursive: true });
    const turn = await ask({ state: join(c.folder, 'moved-state') });
    expectWholeHistory(turn, planted);
    expect(turn.outcome).toMatchObject({ continuity: 'restored', reason: 'disk-missing' });
  });

  test('the checkout stands elsewhere: plainly resumed', async () => {
    const planted = await plant(c);
    const cwd = join(c.folder, 'moved', 'checkout');
    mkdirSync(join(c.folder, 'moved'));
    renameSync(c.cwd, cwd);
    const turn = await ask({ cwd });
    expectWholeHistory(turn, planted);
    expect(turn.outcome).toMatchObject({ continuity: 'resumed' });
    expect(await c.incidents()).toEqual([]);
  });

  test('lines in the middle are damaged and there is no archive: repaired, the rest is kept', async () => {
    const planted = await plant(c, { archive: false });
    const file = c.transcript(await c.session());
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, [lines[0], '{"type":"user","uuid":', '\u0000\u0000', ...lines.slice(1)].join('\n'));
    const turn = await ask({ archive: false });
    expectWholeHistory(turn, planted);
    expect(turn.outcome).toMatchObject({ continuity: 'repaired', reason: 'disk-damaged' });
  });

  test('.claude.json is broken: set aside, plainly resumed', async () => {
    const planted = await plant(c);
    writeFileSync(join(c.folders().config, '.claude.json'), '{"oauth');
    const turn = await ask();
    expectWholeHistory(turn, planted);
    expect(turn.outcome).toMatchObject({ continuity: 'resumed' });
  });

  test('the CLI says "No conversation found" although the file looked good: the line in the log, and down the ladder', async () => {
    const planted = await plant(c);
    const session = await c.session();
    // An engine that shows the CLI an empty folder in place of its own: the mount that the layout forgot.
    const turn = await ask({ engine: otherFolderFor(2) });
    expect(c.logged.filter((l) => l.includes('failed — retrying fresh'))).toEqual([
      `[dev] ${turn.dispatch.id}: resume of ${session.id} failed — retrying fresh`,
      `[dev] ${turn.dispatch.id}: resume of ${session.id} failed — retrying fresh`,
    ]);
    expectRebuiltHistory(turn, planted);
    const chain = await c.sessions();
    expect(chain[0]).toMatchObject({ state: 'abandoned', reason: 'resume-failed', failed_resumes: 2 });
    expect((await c.incidents()).map((i) => i.rung)).toEqual(['restored', 'rebuilt']);
  });

  test('a synthesised session is refused, too: a new session begins with the record as text', async () => {
    const planted = await plant(c);
    const turn = await ask({ engine: otherFolderFor(3) });
    expect(turn.outcome).toMatchObject({ kind: 'answered', continuity: 'rebuilt' });
    expect(turn.requests[0]!.prompt).toContain(planted.fact);
    expect(turn.requests[0]!.prompt).toContain('The earlier session of this conversation was lost');
  });
});

/** The process engine, whose first `times` runs see another, empty CLI folder than the one they were given. */
function otherFolderFor(times: number) {
  const engine = processEngine({ flock: FLOCK });
  let left = times;
  return {
    ...engine,
    start: async (spec: Parameters<typeof engine.start>[0]) => {
      const container = await engine.start(spec);
      const elsewhere = left-- > 0;
      return {
        stop: () => container.stop(),
        spawn: (s: Parameters<typeof container.spawn>[0]) =>
          container.spawn(
            elsewhere ? { ...s, env: { ...s.env, CLAUDE_CONFIG_DIR: join(c.folder, 'nowhere') } } : s,
          ),
      };
    },
  };
}

describe.skipIf(!cli.ok || !namespace.ok)(namespace.title('a CLI folder that is mounted read-only'), () => {
  test('the answer stands, the session is not called resumable, and the next dispatch is rebuilt', async () => {
    const engine = readOnlyView(() => c.folders().config);
    const planted = await plant(c, { engine });
    expect(planted.first.outcome).toMatchObject({ kind: 'answered', verified: null, continuity: 'fresh' });
    expect(await c.session()).toMatchObject({
      state: 'abandoned',
      reason: 'transcript-not-written',
      head: null,
    });
    expect((await c.incidents()).map((i) => [i.rung, i.reason])).toEqual([
      ['unverified', 'transcript-not-written'],
    ]);
    const turn = await ask({ engine });
    expectRebuiltHistory(turn, planted);
    expect(turn.outcome).toMatchObject({ reason: 'transcript-not-written', verified: null });
  });

  test('when it becomes read-only later, no turn is silently forgotten', async () => {
    const planted = await plant(c);
    const engine = readOnlyView(() => c.folders().config);
    const unsaved = await c.turn('Remember also: the colour is teal-77.', { engine });
    expectWholeHistoryBefore(unsaved.history, planted);
    expect(unsaved.outcome).toMatchObject({ kind: 'answered', verified: null });
    const turn = await ask();
    expect(turn.history).toContain('teal-77');
    expect(turn.history).toContain(planted.fact);
    expect(turn.outcome).toMatchObject({ continuity: 'rebuilt', reason: 'transcript-not-written' });
  });
});

function expectWholeHistoryBefore(history: string, planted: Planted): void {
  expect(history).toContain(planted.fact);
  expect(history).toContain(planted.secret);
}

describe.skipIf(!cli.ok || !flock.ok)(cli.title('a run that is killed'), () => {
  test('before the first reply: the same id, the prompt once', async () => {
    const lease = await c.lease();
    const running = c.run(lease, 'HOLD: the code word is birch-1');
    await c.model.reached('before');
    await killInside(c.folder, 'SIGKILL');
    c.model.release('before');
    const turn = await running;
    expect(turn.outcome).toMatchObject({ kind: 'answered', continuity: 'fresh' });
    expect((await c.sessions()).length).toBe(1);
    expect(occurrences(JSON.stringify(turn.requests.at(-1)!.messages), 'HOLD: the code word')).toBe(1);
    const next = await ask();
    expect(next.outcome).toMatchObject({ kind: 'answered', continuity: 'resumed' });
    expect(next.history).toContain('birch-1');
  });

  test('before the reply of a later turn: the prompt is not sent twice', async () => {
    const planted = await plant(c);
    const running = c.turn('HOLD: and now?');
    await c.model.reached('before');
    await killInside(c.folder, 'SIGKILL');
    c.model.release('before');
    const turn = await running;
    expect(turn.outcome).toMatchObject({ kind: 'answered', continuity: 'resumed' });
    const last = JSON.stringify(turn.requests.at(-1)!.messages);
    expect(occurrences(last, 'HOLD: and now?')).toBe(1);
    expect(last).toContain(planted.secret);
  });

  test('in mid-tool: the session goes on and is told so; the tool dies with its run', async () => {
    const planted = await plant(c);
    const running = c.turn('LONG work, please');
    await until(() => occurrencesInFile(join(c.cwd, 'side-effects.txt'), 'ran') === 1);
    await killInside(c.folder, 'SIGKILL', (command) => command.includes('claude'));
    const turn = await running;
    expect(turn.outcome).toMatchObject({
      kind: 'answered',
      answer: 'I was cut off; I have checked what is there.',
    });
    expect(turn.requests.at(-1)!.prompt).toContain('You were cut off');
    expect(turn.history).toContain(planted.secret);
    // In the history or, if the transcript had not come that far, named in the prompt.
    expect(JSON.stringify(turn.requests.at(-1)!.messages)).toContain('side-effects.txt');
    expect(readFileSync(join(c.cwd, 'side-effects.txt'), 'utf8')).toBe('ran\n');
  });

  test('after its answer but before the service knew: the answer is adopted, nothing is paid twice', async () => {
    const planted = await plant(c);
    const lease = await c.lease();
    armFault((point) => {
      if (point === 'run.ended') throw new Error('the service dies here');
    });
    await expect(c.run(lease, 'ASK: what do you know?')).rejects.toThrow('the service dies here');
    armFault(null);
    await c.interrupt(lease);
    const turn = await c.run(await c.leaseAgain(), 'ASK: what do you know?');
    expect(turn.requests).toEqual([]);
    expect(turn.outcome).toMatchObject({
      kind: 'answered',
      adopted: true,
      answer: `fact=${planted.fact} tool=${planted.secret}`,
    });
  });

  test('with an answer in the transcript that the service never heard: it is not adopted, and the run goes on', async () => {
    await plant(c);
    const lease = await c.lease();
    armFault((point) => {
      if (point === 'run.ended') throw new Error('the service dies here');
    });
    await expect(c.run(lease, 'ASK: what do you know?')).rejects.toThrow('the service dies here');
    armFault(null);
    // As when the service had died before the answer reached it, and the CLI had gone on without it.
    await c.database.rows
      .deleteFrom('turns')
      .where('dispatch_id', '=', lease.dispatch.id)
      .where('kind', '=', 'text')
      .execute();
    await c.interrupt(lease);
    const turn = await c.run(await c.leaseAgain(), 'ASK: what do you know?');
    expect(turn.outcome).toMatchObject({ kind: 'answered', adopted: false });
    expect(turn.requests.length).toBeGreaterThan(0);
    expect(turn.requests[0]!.prompt).toContain('You were cut off');
  });

  test('a tool call that cannot be recorded is not made', async () => {
    await c.lease().then((lease) => c.run(lease, 'hello'));
    await sql`create trigger no_tools before insert on turns when new.kind = 'tool' begin select raise(abort, 'no room'); end`.execute(
      c.database.rows,
    );
    const turn = await c.turn('PLANT: the code word is dune-1');
    expect(turn.outcome).toMatchObject({ kind: 'answered' });
    const last = JSON.stringify(turn.requests.at(-1)!.messages);
    expect(last).toContain('could not record this call');
  });

  test('while another CLI holds the session: waits for it instead of forking the history', async () => {
    await plant(c);
    const session = await c.session();
    const lock = join(c.folders().locks, session.id);
    const { execa } = await import('execa');
    const holder = execa(FLOCK, ['-n', '-F', lock, 'sleep', '1.5']);
    const turn = await ask();
    expect(turn.outcome).toMatchObject({ kind: 'answered', continuity: 'resumed' });
    expect(turn.requests.length).toBe(1);
    await holder;
  });
});

function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}

function occurrencesInFile(file: string, part: string): number {
  try {
    return occurrences(readFileSync(file, 'utf8'), part);
  } catch {
    return 0;
  }
}

async function until(condition: () => boolean): Promise<void> {
  await expect.poll(condition).toBe(true);
}

describe.skipIf(!cli.ok)(cli.title('what a run may not do'), () => {
  test('a policy of fresh starts a new session each time, on purpose and without an incident', async () => {
    const planted = await plant(c, { policy: 'fresh' });
    const turn = await ask({ policy: 'fresh' });
    expect(turn.outcome).toMatchObject({ kind: 'answered', continuity: 'fresh', reason: 'policy-fresh' });
    expect(turn.history).not.toContain(planted.fact);
    expect(await c.incidents()).toEqual([]);
  });

  test('a variable of the worker does not reach the CLI', async () => {
    process.env.WORKERS_OWN = 'not for agents';
    const engine = processEngine({ flock: FLOCK });
    let seen: string[] = [];
    try {
      await c.turn('hello', {
        engine: {
          ...engine,
          start: async (spec) => {
            const container = await engine.start(spec);
            return {
              stop: () => container.stop(),
              spawn: (spawn) => {
                seen = Object.keys(spawn.env);
                return container.spawn(spawn);
              },
            };
          },
        },
      });
    } finally {
      delete process.env.WORKERS_OWN;
    }
    expect(seen).toContain('CLAUDE_CONFIG_DIR');
    expect(seen).not.toContain('WORKERS_OWN');
  });

  test('instructions that were changed hold in a session that goes on, and its history stays', async () => {
    const first = { instructions: 'RULE-ONE: be brief.' };
    const changed = { instructions: 'RULE-TWO: be thorough.' };
    await c.turn('the code word is cobalt-6', { agent: first });
    const told = async (agent: { instructions: string }) => {
      const turn = await c.turn('ASK: what do you know?', { agent });
      expect(turn.outcome).toMatchObject({ kind: 'answered', continuity: 'resumed' });
      expect(turn.history).toContain('cobalt-6');
      return turn.requests[0]!.systemText.match(/RULE-\w+/g);
    };
    expect(await told(first)).toEqual(['RULE-ONE']);
    expect(await told(changed)).toEqual(['RULE-TWO']);
    expect(await told(changed)).toEqual(['RULE-TWO']);
    expect(await c.sessions()).toHaveLength(1);
  });

  test('a run that ends at its turn limit is no answer, and its session goes on', async () => {
    const first = await c.turn('PLANT: the code word is cobalt-5', { maxTurns: 1 });
    expect(first.outcome).toMatchObject({ kind: 'capped', why: 'max-turns' });
    const turn = await ask();
    expect(turn.outcome).toMatchObject({ continuity: 'resumed' });
    expect(turn.history).toContain('cobalt-5');
  });

  test('an answer that is longer than the model writes at once is asked for in one run only, and its session goes on', async () => {
    await plant(c);
    const long = await c.turn('ENDLESS: write all you know.');
    expect(long.outcome).toMatchObject({ kind: 'capped', why: 'max-output' });
    expect(long.requests.length).toBeLessThan(6);
    const turn = await ask();
    expect(turn.outcome).toMatchObject({ continuity: 'resumed' });
    expect(turn.history).toContain('and so on');
  });

  test('an answer that the model writes in pieces is posted whole', async () => {
    const turn = await c.turn('PIECES: write much.');
    expect(turn.outcome).toMatchObject({
      kind: 'answered',
      answer: 'This is the beginning.\nAnd this is the end.',
    });
  });

  test('a longer transcript on disk than in the archive is archived before it is used', async () => {
    const planted = await plant(c);
    await c.database.rows.deleteFrom('transcript_chunks').execute();
    await c.database.rows.deleteFrom('transcript_files').execute();
    expectWholeHistory(await ask(), planted);
    rmSync(c.folders().config, { recursive: true });
    const turn = await ask();
    expectWholeHistory(turn, planted);
    expect(turn.outcome).toMatchObject({ continuity: 'restored' });
  });

  test('a file that is no continuation of the archive replaces it as a whole', async () => {
    const planted = await plant(c);
    const file = c.transcript(await c.session());
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replaceAll('"userType":"external"', '"userType": "external"'));
    appendFileSync(file, '');
    expectWholeHistory(await ask(), planted);
    rmSync(c.folders().config, { recursive: true });
    expectWholeHistory(await ask(), planted);
  });
});
