/**
 * Any text of up to 25 MB, in any place where the service takes one, holds up everything else for at most 20 ms at a
 * time. A turn of the event loop is measured by the processor time this thread took in it: on a loaded machine a clock
 * would measure the others. How fast the machine is just now is measured too, by a piece of work of known size.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Budgeted, readTexts, withinBudget } from '../src/dispatch/converse/prompt-budget.ts';
import type { DispatchContext } from '../src/dispatch/screen/context.ts';
import { createGiteaFamilyClient } from '../src/forges/gitea/client.ts';
import { findMentions } from '../src/mentions.ts';
import { unmarked } from '../src/outcome/answer.ts';
import { shownText } from '../src/security/hidden-text.ts';
import { outgoingBody } from '../src/security/outgoing.ts';
import { patience } from './support/patience.ts';

const LONGEST = 25 << 20;
const BOUND_MS = 20;
/** What the piece of known work takes on the machine the bound is meant for. */
const USUAL_MS = 10;
const SEED = 20_260_711;

const eve = { id: 9, login: 'eve' };
/** A forge in a thread of its own, so that what it does is not counted: 25 comments of a megabyte of one piece. */
const FORGE = `
const { createServer } = require('node:http');
const { parentPort } = require('node:worker_threads');
const server = createServer((request, response) => {
  const part = decodeURIComponent(request.url.split('/')[1]);
  const at = '2026-05-04T10:00:00Z';
  const body = JSON.stringify(part.repeat((1 << 20) / part.length));
  response.writeHead(200, { 'content-type': 'application/json', 'x-total-count': '25' });
  response.write('[');
  for (let id = 0; id < 25; id += 1) {
    const head = JSON.stringify({ id, user: { id: 9, login: 'eve' }, created_at: at, updated_at: at }).slice(0, -1);
    response.write((id === 0 ? '' : ',') + head + ',"body":' + body + '}');
  }
  response.end(']');
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;
let forge: Worker;
let port: number;
beforeAll(async () => {
  forge = new Worker(FORGE, { eval: true });
  port = await new Promise<number>((resolve) => void forge.once('message', resolve));
});
afterAll(() => forge.terminate());

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** The longest turn while `work` runs, in ms of this thread. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let isDone = false;
  const watch = (async () => {
    let before = cpuMs();
    while (!isDone) {
      await turn();
      const now = cpuMs();
      longest = Math.max(longest, now - before);
      before = now;
    }
  })();
  await work();
  isDone = true;
  await watch;
  return longest;
}

/** Sorting and joining, as the service's own work is: about as slow now as that is now. */
function slowness(): number {
  const times = [1, 2, 3, 4, 5].map(() => {
    const before = cpuMs();
    const words = Array.from({ length: 20_000 }, (_, n) => `word ${(n * 7_919) % 20_000}`);
    expect(words.sort().join(' ').split(' ')).toHaveLength(40_000);
    return cpuMs() - before;
  });
  return Math.max(1, Math.max(...times) / USUAL_MS);
}

const PLACES: Readonly<Record<string, (text: string) => Promise<unknown>>> = {
  'who is mentioned': async (text) => findMentions(text),
  'what is hidden': async (text) => await shownText(text),
  'the prompt': async (text) => {
    const comments = [1, 2, 3].map((id) => ({ id, author: eve, body: text.slice(id) }));
    const context = { item: { number: 5, body: text }, comments, reviews: [], messages: [], elsewhere: [] };
    const texts = await readTexts(context as unknown as DispatchContext);
    const shown = comments.map((comment) => ({ ...comment, body: texts.body(comment.body) }));
    return withinBudget<Budgeted>(
      { ...context, item: { number: 5, body: texts.body(text) }, comments: shown },
      true,
    );
  },
  'what is posted': async (text) => outgoingBody(unmarked(text), { own: 5, keywords: [], strict: true }),
};

const unit = fc
  .array(
    fc.constantFrom(
      ...[
        '<!--',
        '-->',
        '<a ',
        '<div>',
        '<b title="',
        '"',
        '`',
        '```',
        '\n',
        '\n\n',
        '[',
        ']',
        '](',
        '![',
        '[^a]',
        ': ',
      ],
      ...[
        '> ',
        '- ',
        '    ',
        '\t',
        '@a',
        '|',
        '|-|\n',
        '&#8',
        '\\',
        '{',
        '*',
        '_',
        'word ',
        '\u200d',
        '漢',
        '<!-- claude-hooks ',
      ],
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.join(''));
const long = fc
  .tuple(unit, fc.constantFrom(1_000, 100_000, 1_000_000, LONGEST))
  .map(([part, length]) => ({ part, length }));

test.each(Object.entries(PLACES))('%s', { timeout: patience(300_000) }, async (_place, work) => {
  await warmUp(work);
  const factor = slowness();
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  await fc.assert(
    fc.asyncProperty(long, async ({ part, length }) => {
      const text = part.repeat(Math.ceil(length / part.length));
      let longest = await longestTurn(() => work(text));
      // A second look: the collector of garbage takes its time when it likes.
      if (longest >= BOUND_MS * factor) longest = Math.min(longest, await longestTurn(() => work(text)));
      expect({ part, length, isBelow: longest < BOUND_MS * factor, longest }).toMatchObject({
        isBelow: true,
      });
    }),
    { seed: SEED, numRuns: 25, endOnFailure: true },
  );
  delay.disable();
  // The limit is generous, because other processes may have the machine. It only excludes waits of seconds.
  expect(delay.max / 1e6).toBeLessThan(2_000);
});

/** The first run of a function is slow for its own reasons. */
async function warmUp(work: (text: string) => Promise<unknown>): Promise<void> {
  for (let n = 0; n < 20; n += 1) await work(`[a](b "c") \`d\` <b>${n}</b>\n\n> - @e [^f]\n`.repeat(400));
}

test('a page of comments', { timeout: patience(300_000) }, async () => {
  const read = async (part: string) => {
    const url = `http://127.0.0.1:${port}/${encodeURIComponent(part)}/`;
    const client = createGiteaFamilyClient({ name: 'home', url, token: 't' });
    expect(await client.listComments({ id: '1', fullName: 'a/b' }, 5)).toHaveLength(25);
  };
  await read('word ');
  const factor = slowness();
  for (const part of ['word ', '\n', '"', '漢', '{"a":[']) {
    let longest = await longestTurn(() => read(part));
    if (longest >= BOUND_MS * factor) longest = Math.min(longest, await longestTurn(() => read(part)));
    expect(longest, JSON.stringify(part)).toBeLessThan(BOUND_MS * factor);
  }
});
