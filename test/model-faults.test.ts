/**
 * Everything the model's side can do to a run, on the real CLI: on a first turn and on a resumed one. What counts is
 * what becomes of the session, and what reaches the model afterwards. Parks and messages are in model-limits.test.ts.
 */
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { RecordedRequest } from '../rehearsal/model-record.ts';
import type { ContainerEngine, SpawnSpec } from '../src/container/container.ts';
import { processEngine } from '../src/container/process.ts';
import { FLOCK, historyText, TestConversation, type Turn } from './support/conversation.ts';
import { expectRebuiltHistory, expectWholeHistory, type Planted, plant, SCRIPT } from './support/planted.ts';
import { needs } from './support/requirements.ts';

const cli = needs('cli');

const KINDS = ['first', 'resumed'] as const;
type Kind = (typeof KINDS)[number];

const TOO_LONG = "error: { status: 400, message: 'prompt is too long: 210000 tokens > 200000 maximum' }";
const NOTHING = "text: '{{ nothing }}'";

/** Each scene stands for one kind of fault; its name is the word in the prompt that calls it. */
const FAULTS: Record<string, string> = {
  CUTS: `
      - tools: [{ name: Bash, input: { command: 'true' } }]
        faults: [{ disconnect: { after: request } }]
      - tools: [{ name: Bash, input: { command: 'true' } }]
        faults: [{ disconnect: { after: headers } }, { error: { status: 500 } }]
      - tools: [{ name: Bash, input: { command: 'true' } }]
        faults: [{ disconnect: { after: first_event } }]
      - tools: [{ name: Bash, input: { command: 'true' } }]
        faults: [{ disconnect: { after: before_stop } }]
      - tools: [{ name: Bash, input: { command: 'true' } }]
        faults: [{ error: { status: 529, after: half } }]
      - text: Done in spite of all.
        faults: [{ disconnect: { after: half } }]`,
  PASSING: `
      - text: Done at last.
        faults: [{ error: { status: 500 } }]`,
  SILENT: `
      - tools: [{ name: Bash, input: { command: 'true' } }]
        faults: [{ stall: { after: request } }]
      - text: Done after two silences.
        faults: [{ stall: { after: half } }]`,
  LIMIT: `
      - text: Done after the limits.
        faults:
          - error: { status: 429, headers: { anthropic-ratelimit-unified-status: rejected, anthropic-ratelimit-unified-reset: '1900000000', anthropic-ratelimit-unified-representative-claim: five_hour } }
          - error: { status: 529, headers: { retry-after: '2' } }
            times: 2`,
  TOOLS: `
      - tools:
          - { name: Bash, input: { command: 'echo granite-1', description: 'One' } }
          - { name: Bash, input: { command: 'echo granite-2', description: 'Two' } }
      - text: never
        faults: [{ error: { status: 529 }, times: always }]`,
  FULL: `
      - text: Done after a compaction.
        faults: [{ ${TOO_LONG} }]`,
  FULLER: `
      - text: Done with a shorter history.
        faults: [{ ${TOO_LONG}, times: 2 }]`,
  FULLEST: `
      - text: never
        faults: [{ ${TOO_LONG}, times: always }]`,
  // Of a 400 it does not know the CLI makes six requests; the gateway sends two of them.
  ODD: `
      - text: Done on another history.
        faults: [{ error: { status: 400, message: 'temperature is too warm' }, times: 4 }]`,
  NOMODEL: `
      - text: Done with a model.
        faults: [{ error: { status: 404, message: 'model: claude-sonnet-4-5' }, times: 2 }]`,
  SIGNATURE: `
      - text: Done on another history.
        faults: [{ error: { status: 400, message: 'messages.1.content.0: Invalid \`signature\` in \`thinking\` block' } }]`,
  WORDLESS: `
      - ${NOTHING}`,
  MUTE: `
      - tools: [{ name: Bash, input: { command: 'echo the tool said basalt-3', description: 'Look' } }]
      - ${NOTHING}`,
};

const scenes = Object.entries(FAULTS).map(
  ([name, steps]) => `
  - name: ${name}
    when: { prompt: '^(?!.*cut off).*FAULT ${name}: do it($|.*no visible output)' }
    steps:${steps}`,
);
const script = SCRIPT.replace(
  'scenes:',
  `scenes:${scenes.join('')}
  - name: cut-off-and-busy
    when: { prompt: 'cut off.*FAULT TOOLS' }
    steps:
      - text: I have seen what is there.
        faults: [{ error: { status: 529 } }]
  - name: asked-for-a-word
    when: { prompt: 'no visible output' }
    steps: [{ ${NOTHING} }]`,
);

/** A conversation in which the fault meets the first turn, or one after a fact was planted. */
async function on(kind: Kind, story: (c: TestConversation, planted: Planted | null) => Promise<void>) {
  const c = await TestConversation.open(script);
  try {
    await story(c, kind === 'first' ? null : await plant(c));
  } finally {
    await c.close();
  }
}

function fault(name: keyof typeof FAULTS): string {
  return `FAULT ${name}: do it`;
}

function times(request: RecordedRequest, text: string): number {
  return JSON.stringify(request.messages).split(text).length - 1;
}

/** The turn as its last request saw it: after whatever was repaired within the run. */
function atLast(turn: Turn): Turn {
  return { ...turn, history: historyText(turn.requests.at(-1)!) };
}

/** The last request of the turn: its prompt once, nothing of the past missing, and one session for all of it. */
async function expectWhole(
  c: TestConversation,
  turn: Turn,
  was: { prompt: string; planted: Planted | null },
) {
  expect(times(turn.requests.at(-1)!, was.prompt)).toBe(1);
  if (was.planted !== null) {
    expect(turn.history).toContain(was.planted.fact);
    expect(turn.history).toContain(was.planted.secret);
  }
  expect((await c.sessions()).map((s) => s.state)).toEqual(['verified']);
  expect(await c.incidents()).toEqual([]);
}

/** The dispatch that has been put back, once more: its prompt is the same. */
async function again(c: TestConversation, prompt: string, options?: Parameters<TestConversation['turn']>[1]) {
  return await c.run(await c.leaseAgain(), prompt, options);
}

async function ask(c: TestConversation): Promise<Turn> {
  return await c.turn('ASK: what do you know?');
}

/** The process engine; the first `times` runs get another environment than the service gave them. */
function withEnvironment(
  times: number,
  change: (env: SpawnSpec['env']) => SpawnSpec['env'],
): ContainerEngine {
  const engine = processEngine({ flock: FLOCK });
  let left = times;
  return {
    ...engine,
    start: async (spec) => {
      const container = await engine.start(spec);
      const isChanged = left-- > 0;
      return {
        stop: () => container.stop(),
        spawn: (s) => container.spawn(isChanged ? { ...s, env: change(s.env) } : s),
      };
    },
  };
}

async function closedPort(): Promise<string> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

async function expectReplaced(c: TestConversation, reason: string): Promise<void> {
  const chain = await c.sessions();
  expect(chain.at(-2)).toMatchObject({ state: 'abandoned', reason, replaced_by: chain.at(-1)!.id });
  expect((await c.incidents()).at(-1)).toMatchObject({ rung: 'rebuilt', reason });
}

/** After a first turn that was refused: one session, and what was asked stands in the next prompt once. */
async function expectKnown(c: TestConversation, names: string[]): Promise<void> {
  const next = await ask(c);
  expect(next.outcome.kind).toBe('answered');
  for (const name of names) expect(times(next.requests.at(-1)!, fault(name))).toBe(1);
  expect((await c.sessions()).map((s) => s.state)).toEqual(['verified']);
}

const REFUSED = {
  kind: 'refused',
  cause: 'request',
  reason: expect.stringMatching(/^The model did not take this request, and the session is kept: ./),
};

/** The tests wait more than they compute: side by side, and with room for a busy machine. */
const sideBySide = { concurrent: true };

describe.skipIf(!cli.ok)(cli.title('on the model’s side'), sideBySide, () => {
  describe('trouble that passes within a run', () => {
    test.for(KINDS)('a stream cut at every stage, a 500, an error in the stream: %s turn', async (kind) => {
      await on(kind, async (c, planted) => {
        const prompt = fault('CUTS');
        const turn = await c.turn(prompt, { model: { retries: 2 } });
        expect(turn.outcome).toMatchObject({ kind: 'answered', answer: 'Done in spite of all.' });
        const met = turn.requests.map((r) => r.answered).filter((answered) => answered !== 'reply');
        expect(met.filter((answered) => answered === 'disconnect').length).toBe(5);
        expect(met.filter((answered) => answered === 'error').length).toBe(2);
        await expectWhole(c, turn, { prompt, planted });
      });
    });

    test.for(KINDS)('no connection, then a 500: %s turn', async (kind) => {
      await on(kind, async (c, planted) => {
        const prompt = fault('PASSING');
        const nobody = await closedPort();
        const engine = withEnvironment(1, (env) => ({ ...env, ANTHROPIC_BASE_URL: nobody }));
        const turn = await c.turn(prompt, { engine });
        expect(turn.requests.map((r) => r.status)).toEqual([500, 200]);
        expect(turn.outcome).toMatchObject({ kind: 'answered', answer: 'Done at last.' });
        await expectWhole(c, turn, { prompt, planted });
      });
    });

    // Ten seconds are the least the CLI takes, and the least of model.idle_seconds.
    test.for(KINDS)(
      'a model that falls silent before and within its answer is asked again: %s turn',
      async (kind) => {
        await on(kind, async (c, planted) => {
          const prompt = fault('SILENT');
          const turn = await c.turn(prompt, { model: { retries: 1, idleSeconds: 10 } });
          expect(turn.requests.map((r) => r.answered)).toEqual(['stall', 'reply', 'stall', 'reply']);
          expect(turn.outcome).toMatchObject({ kind: 'answered', answer: 'Done after two silences.' });
          await expectWhole(c, turn, { prompt, planted });
        });
      },
    );
  });

  describe('a limit', () => {
    test.for(KINDS)(
      'says until when or for how long, and the prompt is sent once when it is over: %s turn',
      async (kind) => {
        await on(kind, async (c, planted) => {
          const prompt = fault('LIMIT');
          // With a subscription's token instead of a key the CLI tells when a usage limit ends.
          const engine = withEnvironment(1, ({ ANTHROPIC_API_KEY: _, ...env }) => ({
            ...env,
            CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-test',
          }));
          const used = await c.turn(prompt, { engine });
          expect(used.outcome).toMatchObject({ kind: 'limited', status: 429, until: 1_900_000_000_000 });
          const busy = await again(c, prompt, { model: { retries: 1 } });
          expect(busy.outcome).toMatchObject({ kind: 'limited', status: 529, until: null });
          expect((busy.outcome as { retryMs: number }).retryMs).toBeGreaterThanOrEqual(2000);
          const turn = await again(c, prompt);
          expect(turn.outcome).toMatchObject({ kind: 'answered', answer: 'Done after the limits.' });
          await expectWhole(c, turn, { prompt, planted });
        });
      },
    );

    test.for(KINDS)(
      'after tool calls: what was done is kept, and prompts do not pile up: %s turn',
      async (kind) => {
        await on(kind, async (c, planted) => {
          const prompt = fault('TOOLS');
          expect((await c.turn(prompt)).outcome.kind).toBe('limited');
          expect((await again(c, prompt)).outcome.kind).toBe('limited');
          const turn = await again(c, prompt);
          expect(turn.outcome).toMatchObject({ kind: 'answered', answer: 'I have seen what is there.' });
          const last = turn.requests.at(-1)!;
          // Once as the beginning of the turn, once with the note that it was cut off.
          expect(times(last, prompt)).toBe(2);
          expect(times(last, 'You were cut off')).toBe(1);
          expect(turn.history).toContain('granite-1');
          expect(turn.history).toContain('granite-2');
          if (planted !== null) expect(turn.history).toContain(planted.secret);
          expect((await c.sessions()).map((s) => s.state)).toEqual(['verified']);
        });
      },
    );
  });

  describe('a history that does not fit', () => {
    test('is compacted; rebuilt from the record if that does not help; refused if that does not fit either', async () => {
      await on('resumed', async (c, planted) => {
        const compacted = await c.turn(fault('FULL'));
        expect(compacted.outcome).toMatchObject({ kind: 'answered', continuity: 'resumed' });
        await expectWhole(c, compacted, { prompt: fault('FULL'), planted });
        expect(JSON.stringify(compacted.requests.at(-1)!.messages)).toContain(planted!.fact);

        const rebuilt = atLast(await c.turn(fault('FULLER')));
        expectRebuiltHistory(rebuilt, planted!);
        expect(times(rebuilt.requests.at(-1)!, fault('FULLER'))).toBe(1);
        await expectReplaced(c, 'prompt-too-long');

        const refused = await c.turn(fault('FULLEST'));
        const reason = expect.stringMatching(/^No session could be resumed or started: Prompt is too long/);
        expect(refused.outcome).toMatchObject({ kind: 'refused', cause: 'session', reason });
        expect(refused.requests.at(-1)!.prompt).toContain(planted!.fact);
      });
    });

    test('on a first turn is refused at once; the next message knows what was asked', async () => {
      await on('first', async (c) => {
        const turn = await c.turn(fault('FULL'));
        const reason = expect.stringContaining('Prompt is too long');
        expect(turn.outcome).toMatchObject({ kind: 'refused', cause: 'session', reason });
        expect(turn.requests.length).toBe(1);
        await expectKnown(c, ['FULL']);
      });
    });
  });

  describe('a request the model does not take', () => {
    test('a bad request, a missing model, no word for an answer: refused on a first turn, and known later', async () => {
      await on('first', async (c) => {
        for (const name of ['ODD', 'NOMODEL', 'WORDLESS']) {
          expect((await c.turn(fault(name))).outcome, name).toMatchObject(REFUSED);
        }
        await expectKnown(c, ['ODD', 'NOMODEL', 'WORDLESS']);
      });
    });

    test('… refused on a resumed turn, and the session is kept; twice in a row may be the history’s fault', async () => {
      await on('resumed', async (c, planted) => {
        expect((await c.turn(fault('NOMODEL'))).outcome).toMatchObject(REFUSED);
        expect((await c.session()).failed_resumes).toBe(0);
        expect((await c.turn(fault('WORDLESS'))).outcome).toMatchObject(REFUSED);
        const kept = await ask(c);
        expectWholeHistory(kept, planted!);
        for (const name of ['NOMODEL', 'WORDLESS']) expect(times(kept.requests.at(-1)!, fault(name))).toBe(0);
        expect((await c.sessions()).map((s) => [s.state, s.failed_resumes])).toEqual([['verified', 0]]);
        expect(await c.incidents()).toEqual([]);

        expect((await c.turn(fault('ODD'))).outcome).toMatchObject(REFUSED);
        const twice = atLast(await c.turn(fault('ODD')));
        expect(twice.outcome).toMatchObject({ continuity: 'rebuilt', reason: 'request-rejected' });
        expect(twice.history).toContain(planted!.fact);
        await expectReplaced(c, 'request-rejected');
      });
    });

    test('because of what is in the history: rebuilt at once', async () => {
      await on('resumed', async (c, planted) => {
        const turn = await c.turn(fault('SIGNATURE'));
        expect(turn.outcome).toMatchObject({ reason: 'history-refused' });
        expect(turn.requests.length).toBe(2);
        expectRebuiltHistory(atLast(turn), planted!);
        await expectReplaced(c, 'history-refused');
      });
    });

    test.for(KINDS)(
      'no word after tool calls is an answer, and what they said is kept: %s turn',
      async (kind) => {
        await on(kind, async (c, planted) => {
          const turn = await c.turn(fault('MUTE'));
          expect(turn.outcome).toMatchObject({ kind: 'answered', answer: '' });
          const next = await ask(c);
          expect(next.history).toContain('the tool said basalt-3');
          expect(times(next.requests.at(-1)!, fault('MUTE'))).toBe(1);
          if (planted !== null) expectWholeHistory(next, planted);
        });
      },
    );
  });
});
