/** Every combination that the choice of a rung depends on, without a disk or a database. */
import { describe, expect, test } from 'vitest';
import {
  assistantLine,
  textBlock,
  toolResultLine,
  toolUseBlock,
  transcriptOf,
  userLine,
} from '../../test/support/transcript-lines.ts';
import type { SessionRow } from '../database/tables.ts';
import { type Choice, choose } from './choose.ts';
import { type Copy, type CopyState, judge, MISSING } from './copies.ts';
import type { Asked, Floor } from './ladder-request.ts';
import type { Exchange } from './record.ts';
import type { SessionFiles, Survey } from './survey.ts';
import { readTranscript } from './transcript.ts';

const ANSWERED = [
  userLine('u1', 'Correct the totals.'),
  assistantLine('a1', textBlock('Done.'), { stop: 'end_turn' }),
];
const MORE = [...ANSWERED, { type: 'mode', sessionId: 'session-1' }];
const bytesOf = (lines: object[]) => new Uint8Array(transcriptOf(lines));
const withBadLine = (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.from('{"type":"us\n')]);

const BYTES = {
  good: bytesOf(ANSWERED),
  longer: bytesOf(MORE),
  damaged: withBadLine(bytesOf(ANSWERED)),
  empty: new Uint8Array(),
  garbage: Buffer.alloc(200, 0xfe),
  'head-missing': bytesOf([userLine('u0', 'Another history.')]),
};

function copy(state: keyof typeof BYTES | 'missing' | 'unreadable', head: string | null = 'a1'): Copy {
  if (state === 'missing') return MISSING;
  if (state === 'unreadable') return { ...MISSING, state, code: 'EACCES' };
  return judge(BYTES[state], head);
}

function session(of: Partial<SessionRow> = {}): SessionRow {
  return {
    id: 'session-1',
    conversation_id: 'conversation-1',
    ordinal: 1,
    state: 'verified',
    reason: null,
    replaced_by: null,
    head: 'a1',
    size: BYTES.good.length,
    failed_resumes: 0,
    synthesised: 0,
    told_of_memory: 0,
    instructions_digest: null,
    cli_version: '2.1.330',
    config_folder: '/state/cli',
    created_at: 1,
    verified_at: 2,
    ...of,
  };
}

function exchange(dispatchId: string, of: Partial<Exchange> = {}): Exchange {
  return { dispatchId, prompt: `Question of ${dispatchId}`, actions: [], answer: null, ...of };
}

const FILES: SessionFiles = {
  disk: copy('good'),
  isPlaceTaken: true,
  isFolderOdd: false,
  strays: [],
  former: null,
  archived: copy('good'),
};

interface Case extends Partial<Asked> {
  session?: SessionRow | null;
  files?: Partial<SessionFiles>;
  record?: Exchange[];
  heard?: string[];
  isConfigBroken?: boolean;
}

/** Everything is in order, except for what is named. */
function chosen(of: Case = {}): Choice {
  const found: Survey = {
    session: of.session === undefined ? session() : of.session,
    files: { ...FILES, ...of.files },
    record: of.record ?? [exchange('d1', { answer: 'Done.' })],
    heard: new Set(of.heard),
    isConfigBroken: of.isConfigBroken ?? false,
  };
  const { dispatchId = 'd2', policy = 'resume', floor = 'resumed', floorReason = null } = of;
  const asked = { dispatchId, policy, floor, floorReason };
  const choice = choose(found, asked);
  expect(choose(found, asked)).toEqual(choice);
  return choice;
}

/** What is done, told and taken, in one line. */
function told(choice: Choice): string {
  const { step, continuity, reason } = choice;
  const use = step === 'go-on' || step === 'start-again' ? choice.use : null;
  const from = use === null ? '' : ` from ${use.from}${use.isMended ? ', mended' : ''}`;
  return `${step} ${continuity} (${reason})${from}`;
}

type DiskState = CopyState;
const ARCHIVES = ['missing', 'good', 'longer', 'damaged', 'head-missing', 'garbage', 'empty'] as const;

describe('which copy becomes the history, at the top of the ladder', () => {
  const resumed = 'go-on resumed (in-order) from disk';
  const behind = 'go-on restored (disk-behind-archive) from archive';
  const restored = (disk: DiskState) => `go-on restored (disk-${disk}) from archive`;
  const mended = (disk: DiskState, from = 'disk') => `go-on repaired (disk-${disk}) from ${from}, mended`;
  const lost = (disk: DiskState) => `rebuild rebuilt (disk-${disk})`;
  type Row = Record<(typeof ARCHIVES)[number], string>;
  /** nothing usable on the disk */
  const unusable = (disk: DiskState): Row => ({
    missing: lost(disk),
    good: restored(disk),
    longer: restored(disk),
    damaged: mended(disk, 'archive'),
    'head-missing': lost(disk),
    garbage: lost(disk),
    empty: lost(disk),
  });
  const expected: Record<DiskState, Row> = {
    good: {
      missing: resumed,
      good: resumed,
      longer: behind,
      damaged: resumed,
      'head-missing': resumed,
      garbage: resumed,
      empty: resumed,
    },
    damaged: {
      missing: mended('damaged'),
      good: restored('damaged'),
      longer: restored('damaged'),
      damaged: mended('damaged'),
      'head-missing': mended('damaged'),
      garbage: mended('damaged'),
      empty: mended('damaged'),
    },
    missing: unusable('missing'),
    unreadable: unusable('unreadable'),
    empty: unusable('empty'),
    garbage: unusable('garbage'),
    'head-missing': unusable('head-missing'),
  };

  test.each(Object.keys(expected) as DiskState[])('the disk is %s', (disk) => {
    const row = ARCHIVES.map((archive) => {
      const files = { disk: copy(disk), archived: copy(archive), isPlaceTaken: disk !== 'missing' };
      return [archive, told(chosen({ files }))];
    });
    expect(Object.fromEntries(row)).toEqual(expected[disk]);
  });

  test('an archive that is not read counts as missing', () => {
    expect(told(chosen({ files: { archived: MISSING } }))).toBe(resumed);
  });
});

describe('after the resume was tried and failed in this run', () => {
  test('only a good archive is tried; the record is what is left', () => {
    const at = (disk: DiskState, archive: (typeof ARCHIVES)[number]) =>
      told(
        chosen({
          floor: 'restored',
          floorReason: 'resume-failed',
          files: { disk: copy(disk), archived: copy(archive) },
        }),
      );
    expect(at('good', 'good')).toBe('go-on restored (resume-failed) from archive');
    expect(at('good', 'longer')).toBe('go-on restored (resume-failed) from archive');
    expect(at('damaged', 'good')).toBe('go-on restored (disk-damaged) from archive');
    for (const archive of ['missing', 'damaged', 'head-missing', 'garbage', 'empty'] as const) {
      expect(at('good', archive)).toBe('rebuild rebuilt (resume-failed)');
      expect(at('missing', archive)).toBe('rebuild rebuilt (resume-failed)');
    }
  });

  test.each([
    ['rebuilt', 'synthesised'],
    ['digest', 'digest'],
  ] as const)('the floor %s makes a new session, whatever the files are', (floor, form) => {
    const choice = chosen({ floor, floorReason: 'prompt-too-long' });
    expect(choice).toMatchObject({
      step: 'rebuild',
      form,
      place: null,
      reason: 'prompt-too-long',
      evidence: { form, exchanges: 1 },
    });
  });

  test('a session that never got anywhere does not start again under the same id', () => {
    const choice = chosen({
      floor: 'restored',
      session: session({ head: null, state: 'proposed', verified_at: null }),
      files: { disk: MISSING, archived: MISSING, isPlaceTaken: false },
      record: [],
    });
    expect(told(choice)).toBe('rebuild rebuilt (resume-failed)');
  });
});

describe('a copy that stands elsewhere', () => {
  const stray = (state: keyof typeof BYTES, n = 1) => ({ file: `/x${n}.jsonl`, copy: copy(state) });
  const empty = { disk: MISSING, isPlaceTaken: false, archived: MISSING };
  const other = 'other-project-folder';

  test.each<[string, Partial<SessionFiles>, string, object]>([
    [
      'in another project folder, and the place is empty',
      { ...empty, strays: [stray('good'), stray('good', 2)] },
      `go-on restored (${other}) from disk`,
      { stray: '/x1.jsonl', aside: ['/x2.jsonl'], isFormer: false },
    ],
    [
      'in another project folder beside the one in its place: the CLI must find one',
      { strays: [stray('good')] },
      `go-on restored (${other}) from disk`,
      { stray: null, aside: ['/x1.jsonl'], isFormer: false },
    ],
    [
      'in another project folder, and the one in its place is damaged',
      { disk: copy('damaged'), archived: MISSING, strays: [stray('good')] },
      'go-on repaired (disk-damaged) from disk, mended',
      { stray: null, aside: ['/x1.jsonl'] },
    ],
    [
      'in another project folder, and a folder stands in its place',
      { disk: copy('unreadable'), isPlaceTaken: false, archived: MISSING, strays: [stray('good')] },
      `go-on restored (${other}) from disk`,
      { stray: '/x1.jsonl', aside: [] },
    ],
    [
      'in the former CLI folder',
      { ...empty, former: copy('good') },
      'go-on restored (other-home) from disk',
      { stray: null, aside: [], isFormer: true },
    ],
    [
      'in the former CLI folder, damaged',
      { ...empty, former: copy('damaged') },
      'go-on repaired (disk-damaged) from disk, mended',
      { isFormer: true },
    ],
    [
      'in the former CLI folder, and longer in the archive',
      { ...empty, former: copy('good'), archived: copy('longer') },
      'go-on restored (disk-behind-archive) from archive',
      { isFormer: true },
    ],
    [
      'in the former CLI folder and in another project folder of the new one',
      { ...empty, former: copy('good'), strays: [stray('good')] },
      `go-on restored (${other}) from disk`,
      { stray: null, aside: ['/x1.jsonl'], isFormer: true },
    ],
  ])('%s', (_, files, expected, place) => {
    const choice = chosen({ files });
    expect(told(choice)).toBe(expected);
    expect(choice).toMatchObject({ place });
  });

  test('is of no use: what is lost is named by it', () => {
    expect(told(chosen({ files: { ...empty, strays: [stray('garbage')] } }))).toBe(
      'rebuild rebuilt (disk-garbage)',
    );
    for (const former of ['missing', 'head-missing', 'garbage', 'empty', 'unreadable'] as const) {
      expect(told(chosen({ files: { ...empty, former: copy(former) } }))).toBe(
        'rebuild rebuilt (disk-missing)',
      );
    }
  });

  test('is not what a link in the place of a folder leads to', () => {
    const files = { disk: copy('unreadable'), isFolderOdd: true };
    expect(told(chosen({ files }))).toBe('go-on restored (disk-missing) from archive');
    expect(told(chosen({ files: { ...files, archived: MISSING } }))).toBe('rebuild rebuilt (disk-missing)');
  });
});

describe('the archive', () => {
  test.each<[string, Partial<SessionFiles>, boolean]>([
    ['equals the disk', {}, false],
    ['is a beginning of it', { disk: copy('longer') }, false],
    ['has nothing', { archived: MISSING }, false],
    ['is of another history', { archived: copy('head-missing') }, true],
    ['is damaged where the disk is not', { archived: copy('damaged') }, true],
    ['is what the history comes from', { disk: copy('empty') }, false],
    ['has what has to be mended', { disk: copy('damaged'), archived: copy('damaged') }, true],
  ])('%s', (_, files, isArchiveReplaced) => {
    expect(chosen({ files })).toMatchObject({ step: 'go-on', use: { isArchiveReplaced } });
  });

  test('a mended history has the good lines, byte for byte', () => {
    const choice = chosen({ files: { disk: copy('damaged'), archived: MISSING } });
    expect(choice).toMatchObject({ step: 'go-on', history: 2 });
    expect(Buffer.from((choice as { bytes: Uint8Array }).bytes)).toEqual(Buffer.from(BYTES.good));
  });
});

describe('what an interrupted run left behind the head', () => {
  const second = userLine('u2', 'And the tests?');
  const call = assistantLine('a2', toolUseBlock('t1'), { stop: 'tool_use' });
  const end = assistantLine('a3', textBlock('Tests, too.'), { stop: 'end_turn' });
  const disk = (...lines: object[]) => ({ disk: judge(bytesOf([...ANSWERED, ...lines]), 'a1') });

  test.each<[string, object[], string[], object]>([
    ['nothing', [], [], { tail: { kind: 'nothing' }, resumeAt: null, history: 2 }],
    ['an unanswered prompt', [second], [], { tail: { kind: 'unanswered' }, resumeAt: 'a1', history: 3 }],
    ['a call without its result', [second, call], [], { tail: { kind: 'mid-turn' }, resumeAt: null }],
    [
      'an answer that was heard',
      [second, call, toolResultLine('r1', 't1'), end],
      ['a3'],
      { tail: { kind: 'answered', answer: 'Tests, too.', head: 'a3' }, resumeAt: null },
    ],
    ['an answer that nobody heard', [second, end], ['a1'], { tail: { kind: 'mid-turn' }, resumeAt: null }],
  ])('%s', (_, lines, heard, expected) => {
    expect(chosen({ files: disk(...lines), heard })).toMatchObject({ step: 'go-on', ...expected });
  });

  test('calls that this dispatch has begun are named, whatever rung it is', () => {
    const record = [exchange('d1', { answer: 'Done.' }), exchange('d2', { actions: ['Bash {}'] })];
    for (const floor of ['resumed', 'restored', 'rebuilt', 'digest'] as Floor[]) {
      expect(chosen({ record, floor }).begun).toEqual(['Bash {}']);
      expect(chosen({ record, floor, dispatchId: 'd3' }).begun).toEqual([]);
    }
  });
});

describe('a session without an answer', () => {
  const proposed = session({ head: null, state: 'proposed', verified_at: null });
  const asked = judge(bytesOf([userLine('u1', 'Correct the totals.')]), null);
  const empty = { disk: MISSING, archived: MISSING, isPlaceTaken: false };

  test.each<[string, Case, string]>([
    [
      'its prompt is on the disk',
      { files: { disk: asked, archived: MISSING } },
      'start-again fresh (first-turn-unanswered) from disk',
    ],
    [
      'its prompt is in the archive only',
      { files: { ...empty, archived: asked } },
      'start-again fresh (first-turn-unanswered) from archive',
    ],
    ['it was never written', { files: empty }, 'start-again fresh (killed-before-first-write)'],
    [
      'it was never written, and what was asked before never answered',
      { files: empty, record: [exchange('d1')] },
      'start-again fresh (killed-before-first-write)',
    ],
    [
      'what was written is garbage',
      { files: { ...empty, disk: copy('garbage', null), isPlaceTaken: true } },
      'start-again fresh (killed-before-first-write)',
    ],
    [
      'it was never written, and this dispatch had called a tool',
      { files: empty, record: [exchange('d2', { actions: ['Bash {}'] })] },
      'rebuild rebuilt (disk-missing)',
    ],
    [
      'its prompt is on the disk, and an earlier session had answered',
      { files: { disk: asked, archived: MISSING }, record: [exchange('d1', { answer: 'Done.' })] },
      'start-again rebuilt (first-turn-unanswered) from disk',
    ],
    [
      'it was never written, and an earlier session had answered',
      { files: empty, record: [exchange('d1', { answer: 'Done.' })] },
      'rebuild rebuilt (disk-missing)',
    ],
  ])('%s', (_, of, expected) => {
    expect(told(chosen({ session: proposed, record: [], ...of }))).toBe(expected);
  });

  test('what was asked before is told again, except by an agent that starts over', () => {
    const files = { disk: asked, archived: MISSING };
    const of = { session: proposed, files, record: [exchange('d1')] };
    expect(chosen(of)).toMatchObject({ exchanges: [{ dispatchId: 'd1' }], continuity: 'fresh' });
    expect(chosen({ ...of, policy: 'fresh' })).toMatchObject({ step: 'start-again', exchanges: [] });
  });

  test('a session that we wrote is rebuilt until its first answer, and its model is not known', () => {
    const written = session({ synthesised: 1, state: 'proposed', verified_at: null });
    expect(chosen({ session: written })).toMatchObject({
      continuity: 'rebuilt',
      rung: 'resumed',
      model: null,
    });
    const model = 'claude-sonnet-4-5';
    expect(chosen({ session: session({ synthesised: 1 }) })).toMatchObject({ continuity: 'resumed', model });
    expect(chosen()).toMatchObject({ continuity: 'resumed', model });
  });
});

describe('which session is tried at all', () => {
  const states = ['none', 'proposed', 'verified', 'replaced', 'abandoned'] as const;
  const floors: Floor[] = ['resumed', 'restored', 'rebuilt', 'digest'];
  const steps = (policy: Asked['policy'], record: Exchange[], floor: Floor) =>
    states.map((state) => {
      const row = state === 'none' ? null : session({ state, reason: 'disk-empty' });
      const { step, reason } = chosen({ session: row, policy, record, floor });
      return step === 'go-on' ? step : `${step} ${reason}`;
    });
  const answered = [exchange('d1', { answer: 'Done.' })];

  test('by an agent that resumes', () => {
    expect(steps('resume', answered, 'resumed')).toEqual([
      'rebuild session-lost',
      'go-on',
      'go-on',
      'rebuild disk-empty',
      'rebuild disk-empty',
    ]);
    expect(steps('resume', answered, 'restored').slice(1, 3)).toEqual(['go-on', 'go-on']);
    for (const floor of ['rebuilt', 'digest'] as Floor[]) {
      expect(new Set(steps('resume', answered, floor).slice(1))).toEqual(new Set(['rebuild disk-empty']));
    }
  });

  test('by an agent that starts over: only a run that was cut off', () => {
    const over = 'start-fresh policy-fresh';
    expect(steps('fresh', answered, 'resumed')).toEqual([over, 'go-on', over, over, over]);
    expect(steps('fresh', answered, 'restored')).toEqual([
      'rebuild session-lost',
      ...Array(4).fill('rebuild disk-empty'),
    ]);
  });

  test('where nothing is recorded but this dispatch, an untried session is followed by a fresh one', () => {
    for (const record of [[], [exchange('d2')]]) {
      for (const floor of floors) {
        const first = 'start-fresh first-dispatch';
        const tried = floor === 'resumed' || floor === 'restored' ? 'go-on' : first;
        expect(steps('resume', record, floor)).toEqual([first, tried, tried, first, first]);
      }
    }
    const begun = [exchange('d2', { actions: ['Bash {}'] })];
    expect(steps('resume', begun, 'resumed')[0]).toBe('rebuild session-lost');
  });

  test('a person’s question has no dispatch of its own: all of the record counts', () => {
    const of = { session: session({ state: 'abandoned' }), record: [exchange('d1'), exchange('d2')] };
    expect(chosen({ ...of, dispatchId: null })).toMatchObject({ step: 'rebuild', exchanges: of.record });
  });
});

test('the evidence says what was found', () => {
  const files = {
    disk: copy('damaged'),
    archived: copy('unreadable'),
    strays: [{ file: '/x', copy: MISSING }],
  };
  expect(chosen({ files, isConfigBroken: true }).evidence).toEqual({
    disk: { state: 'damaged', bytes: BYTES.damaged.length, badLines: 1 },
    archive: { state: 'unreadable', bytes: 0, code: 'EACCES' },
    strays: ['/x'],
    brokenConfigSetAside: true,
  });
  const former = { disk: MISSING, isPlaceTaken: false, former: copy('good') };
  expect(chosen({ files: former }).evidence).toMatchObject({ formerFolder: '/state/cli' });
  expect(readTranscript(BYTES.damaged).badLines).toBe(1);
});
