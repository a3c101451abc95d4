/**
 * What a prompt weighs, and what conversations of one agent share of it: this source and the commit before prompts were
 * looked at, each as a service of its own that plays the same story on bubblewrap, with this source's model and forge.
 * No time is measured.
 */
import { fileURLToPath } from 'node:url';
import type { RecordedRequest } from '../rehearsal/model-record.ts';
import { blocksOf, type ContentBlock } from '../rehearsal/model-request.ts';
import { testEngines } from '../test/support/engines.ts';
import { Stage } from '../test/support/service.ts';
import { DEV, OWNER, REPOSITORY } from '../test/support/service-config.ts';
import type { Bench } from './bench.ts';
import { checkOutEarlier, KNOWN_EARLIER } from './earlier.ts';
import { figure, type Goal, isSo, type PartReport, shareAtMost, type Table } from './report.ts';
import { type ServeProcess, serve } from './serve-process.ts';

const BEFORE = '1abada7';
const SOURCE = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const TITLE = 'What a prompt costs';
const CODE_WORD = 'heron-7';

/** First requests of the three runs. */
interface Story {
  first: RecordedRequest;
  second: RecordedRequest;
  followUp: RecordedRequest;
}

export async function measurePrompt(bench: Bench): Promise<PartReport> {
  const { need } = testEngines().find(({ name }) => name === 'bubblewrap')!;
  if (!need.ok) return { title: TITLE, method: [`Not measured: ${need.reason}.`], goals: [], tables: [] };
  const cli = await checkOutEarlier(bench, BEFORE);
  const earlier = await playStory(bench, cli);
  const before = earlier.story;
  bench.say(`  before: ${figure(before.first.sent.bytes, 0)} bytes`);
  const resumed = await goOn(earlier);
  const later = await playStory(bench, SOURCE);
  const after = later.story;
  bench.say(`  after: ${figure(after.first.sent.bytes, 0)} bytes`);
  for (const { stage, service } of [earlier, later]) {
    await service.stop();
    await stage.close();
  }
  return {
    title: TITLE,
    method: [
      `Two services on bubblewrap, one of commit ${BEFORE} with the dependencies of its own lock file, one of this source, each with its own shipped configuration, on a pocket forge and a rehearsal model of this source. ada assigns issue 1, bob assigns issue 2, then ada comments on issue 1: the first request to the model is taken of each of the three runs. New tokens are those that the model's cache did not have (\`input_tokens\` and \`cache_creation_input_tokens\`), four characters each.`,
      'At the end the service of this source takes over the state of the other one, and ada comments once more: the conversation must go on by resuming, with everything in its history.',
    ],
    goals: goalsOf(before, after, resumed),
    tables: [tableOf(before, after)],
  };
}

interface Played {
  stage: Stage;
  service: ServeProcess;
  story: Story;
}

async function playStory(bench: Bench, cli: string): Promise<Played> {
  const stage = await Stage.open({
    model: 'fallback: { text: I have read it. }',
    config: {
      ...KNOWN_EARLIER,
      container: { engine: 'bubblewrap' },
      mailbox: { quiet_seconds: 0, max_wait_seconds: 0 },
      log: { format: 'json' },
    },
  });
  bench.atEnd(() => stage.close());
  const service = await serve({ cli, config: stage.configFile, env: stage.env });
  bench.atEnd(() => service.stop());
  stage.extraEnv.PORT = new URL(service.url).port;
  const secret = stage.webhookSecret;
  await stage.forge.as(OWNER).addHook(REPOSITORY, { url: `${service.url}/webhooks/home`, secret });
  const firstOf = async (dispatch: number) => {
    const from = stage.turns.length;
    return async () => {
      await stage.untilDispatch(dispatch, 'succeeded');
      return stage.turns[from]!;
    };
  };
  const ada = stage.forge.as(OWNER);
  const opened = await firstOf(1);
  const body = `The code word is ${CODE_WORD}.`;
  await ada.createIssue(REPOSITORY, { title: 'Greeting is broken', body, assignees: [DEV] });
  const first = await opened();
  const assigned = await firstOf(2);
  await stage.forge
    .as('bob')
    .createIssue(REPOSITORY, { title: 'No farewell', body: 'Add it.', assignees: [DEV] });
  const second = await assigned();
  const asked = await firstOf(3);
  await ada.comment(REPOSITORY, 1, 'And now?');
  return { stage, service, story: { first, second, followUp: await asked() } };
}

/** This source on the state that the other commit has left: whether the model knows what was said then. */
async function goOn(played: Played): Promise<boolean> {
  const { stage } = played;
  await played.service.stop();
  played.service = await serve({ cli: SOURCE, config: stage.configFile, env: stage.env });
  const from = stage.turns.length;
  await stage.forge.as(OWNER).comment(REPOSITORY, 1, 'What was the code word?');
  const { continuity } = await stage.untilDispatch(4, 'succeeded');
  const { followUp } = played.story;
  const known = spoken(stage.turns[from]!);
  const before = spoken(followUp);
  return (
    continuity === 'resumed' &&
    JSON.stringify(known.slice(0, before.length)) === JSON.stringify(before) &&
    JSON.stringify(known).includes(CODE_WORD)
  );
}

/** Prompts and answers alone: for another model the CLI puts its own notes elsewhere, and in other words. */
function spoken(request: RecordedRequest) {
  return said(request)
    .filter(({ role }) => role === 'user' || role === 'assistant')
    .map(({ role, content }) => ({
      role,
      content: content.filter(
        (block) => block.type !== 'text' || !`${block.text}`.startsWith('<system-reminder>'),
      ),
    }));
}

function goalsOf(before: Story, after: Story, resumed: boolean): Goal[] {
  const { first, second, followUp } = after;
  const isSameStart = (one: RecordedRequest) =>
    one.sent.tools === first.sent.tools && one.sent.system === first.sent.system;
  return [
    shareAtMost(
      'Prompt: bytes of the first request, as a share of before',
      first.sent.bytes,
      before.first.sent.bytes,
      0.4,
    ),
    isSo('Prompt: tools and system of two conversations, byte for byte', 'equal', isSameStart(second)),
    shareAtMost(
      'Prompt: new tokens of the second conversation, as a share of the first',
      newTokens(second),
      newTokens(first),
      0.3,
    ),
    isSo(
      'Prompt: a follow-up begins with its first request',
      'unchanged',
      isSameStart(followUp) && beginsWith(followUp, first),
    ),
    isSo(`Prompt: a conversation of ${BEFORE} goes on`, 'resumed', resumed),
  ];
}

function tableOf(before: Story, after: Story): Table {
  const row = (what: string, of: (story: Story) => number): string[] => {
    const [then, now] = [of(before), of(after)];
    return [what, figure(then, 0), figure(now, 0), then === 0 ? '' : figure(now / then, 2)];
  };
  const equal = ({ first, second }: Story) => {
    const same = (part: 'tools' | 'system') =>
      first.sent[part] === second.sent[part] ? 'equal' : 'different';
    return `tools ${same('tools')}, system ${same('system')}`;
  };
  return {
    caption: 'The same three runs, before and after',
    head: ['', `before (${BEFORE})`, 'after', 'ratio'],
    rows: [
      ['model', before.first.model, after.first.model, ''],
      row('first request, bytes', ({ first }) => first.sent.bytes),
      row('tools in it', ({ first }) => first.tools.length),
      row('first request, new tokens', ({ first }) => newTokens(first)),
      row('second conversation, new tokens', ({ second }) => newTokens(second)),
      row(
        'second conversation, tokens from the cache',
        ({ second }) => second.usage?.cache_read_input_tokens ?? 0,
      ),
      row('follow-up, new tokens', ({ followUp }) => newTokens(followUp)),
      ['two conversations', equal(before), equal(after), ''],
    ],
  };
}

function newTokens({ usage }: RecordedRequest): number {
  return (usage?.input_tokens ?? 0) + (usage?.cache_creation_input_tokens ?? 0);
}

/** Every message of the earlier request stands at the beginning of the later one; where the cache has its markers is aside. */
function beginsWith(later: RecordedRequest, earlier: RecordedRequest): boolean {
  return JSON.stringify(said(later).slice(0, earlier.messages.length)) === JSON.stringify(said(earlier));
}

function said({ messages }: RecordedRequest) {
  const bare = (block: ContentBlock) => ({ ...block, cache_control: undefined });
  return messages.map(({ role, content }) => ({ role, content: blocksOf(content).map(bare) }));
}
